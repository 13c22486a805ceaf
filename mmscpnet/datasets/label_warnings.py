"""What is likely to be wrong with a label set."""

import os
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .label_statistics import SplitLabels


def find_warnings(splits: Sequence[SplitLabels], few: int = 10) -> list[str]:
    """Look for what spoils training or evaluation.

    Classes that are never positive, or on fewer than ``few`` images; images without a
    known positive, or of which nothing is known; images listed twice; images that
    two splits share; known labels that the labels before masking contradict.

    Args:
        splits: of one data set.
        few: below this a class counts as nearly empty.

    Returns:
        A sentence or two each, the gravest of a split first.
    """
    found = []
    for position, split in enumerate(splits):
        for other in splits[position + 1 :]:
            found += _shared_images(split, other)
    for split in splits:
        found += [*_rare_classes(split, few), *_poor_images(split)]
    return found


def shared_images(split: SplitLabels, other: SplitLabels) -> list[str]:
    """Paths of the images that two splits share, sorted."""
    return sorted(_normalized(split) & _normalized(other))


def _normalized(split: SplitLabels) -> set[str]:
    return {os.path.normpath(path) for path in split.paths}


def _shared_images(split: SplitLabels, other: SplitLabels) -> list[str]:
    shared = shared_images(split, other)
    if not shared:
        return []
    listed = _listed(shared, 3)
    count = len(_normalized(other))
    share = 'all' if len(shared) == count else f'{len(shared):,}'
    verb = 'is' if len(shared) == 1 else 'are'
    return [
        f'{split.name} and {other.name} overlap: {share} of the {count:,} images of '
        f'{other.name} {verb} in {split.name} too: {listed}.'
    ]


def _rare_classes(split: SplitLabels, few: int) -> list[str]:
    counts = split.observed.positives
    absent = np.flatnonzero(counts == 0)
    rare = np.flatnonzero((counts > 0) & (counts < few))
    size, found = len(counts), []
    if len(absent):
        names = _listed([split.classes[i] for i in absent], 40)
        text = f'{split.name}: {_classes(len(absent), size)} never positive: {names}.'
        masked = np.count_nonzero(split.truth.positives[absent])
        if masked:
            text += f' {masked:,} of them only because of the label masking.'
        found.append(text)
    if len(rare):
        ordered = rare[np.argsort(counts[rare], kind='stable')]
        names = _listed([f'{split.classes[i]} ({counts[i]})' for i in ordered], 40)
        found.append(
            f'{split.name}: {_classes(len(rare), size)} positive on fewer than {few} '
            f'images: {names}.'
        )
    return found


def _poor_images(split: SplitLabels) -> list[str]:
    found = []
    images = split.observed.images
    empty, nothing = split.observed.without_positive, split.observed.without_label
    if empty:
        text = f'{split.name}: {empty:,} of {images:,} images without a known positive'
        if split.full is not None:
            text += f' ({split.full.without_positive:,} before the label masking)'
        found.append(f'{text}.')
    if nothing:
        found.append(f'{split.name}: of {nothing:,} images nothing at all is known.')
    twice = [path for path, n in Counter(split.paths).items() if n > 1]
    if twice:
        found.append(
            f'{split.name}: {len(twice):,} images are listed more than once: '
            f'{_listed(sorted(twice), 3)}.'
        )
    if split.contradictions:
        found.append(
            f'{split.name}: {split.contradictions:,} known labels are the opposite of '
            'what they were before the label masking.'
        )
    return found


def _classes(count: int, size: int) -> str:
    return f'{count:,} of {size:,} classes {"is" if count == 1 else "are"}'


def _listed(names: Sequence[str], most: int) -> str:
    more = f' and {len(names) - most:,} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more
