"""The subsets of NUS-WIDE that are in use, each in its own way of being given."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Union

import numpy as np

from ..list_dataset import read_label_list
from .nus_wide import (
    flickr_id,
    ground_truth_files,
    read_ground_truth,
    read_image_list,
)
from .records import LabelRecord
from .text_lines import read_lines


class LabelMatrix(NamedTuple):
    """``images``: N photos; ``labels``: ``(N, C)`` bool; ``files``: what was read."""

    images: Sequence[str]
    labels: np.ndarray
    files: list[Path]

    def records(self) -> Iterator[LabelRecord]:
        """The photos with their positives."""
        for image, row in zip(self.images, self.labels):
            yield LabelRecord(str(image), np.flatnonzero(row).tolist())


def read_official(
    root: Union[str, Path], concepts: Sequence[str], part: str
) -> LabelMatrix:
    """The split that the authors give, all photos.

    Args:
        root: folder with ``ImageList`` and ``Groundtruth``.
        concepts: the C concepts.
        part: ``'Train'`` or ``'Test'``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the list and the ground truth differ in length.
    """
    listing = Path(root, 'ImageList', f'{part}Imagelist.txt')
    files = [listing, *ground_truth_files(root, concepts, part)]
    return _matched(
        read_image_list(listing), read_ground_truth(root, concepts, part), files
    )


def read_listed(
    root: Union[str, Path], concepts: Sequence[str], listing: Union[str, Path]
) -> LabelMatrix:
    """The photos of a list, with the labels of the list or of the ground truth.

    Args:
        root: folder with ``ImageList/Imagelist.txt`` and ``Groundtruth/AllLabels``,
            read only if the list has no labels.
        concepts: the C concepts.
        listing: lines ``name.jpg,3 17``, or ``name.jpg`` in all lines.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a line is malformed, or its photo is not one of NUS-WIDE's; file
            and line are named.
    """
    listing = Path(listing)
    lines = list(read_lines(listing))
    if any(',' in line for _, line in lines):
        return _listed_labels(listing, len(concepts))
    source = Path(root, 'ImageList', 'Imagelist.txt')
    files = [listing, source, *ground_truth_files(root, concepts)]
    everything = _matched(
        read_image_list(source), read_ground_truth(root, concepts), files
    )
    row_of = {flickr_id(name): i for i, name in enumerate(everything.images)}
    images, rows = [], []
    for number, line in lines:
        name = line.strip().replace('\\', '/')
        try:
            rows.append(row_of[flickr_id(name)])
        except (ValueError, KeyError):
            raise ValueError(
                f'{listing}:{number}: {name!r} is not a photo of {source}, whose '
                'names hold the same Flickr number'
            ) from None
        images.append(name)
    if len(set(images)) < len(images):
        raise ValueError(f'{listing} lists a photo twice')
    return LabelMatrix(images, everything.labels[rows], files)


def read_formatted(root: Union[str, Path], classes: int, phase: str) -> LabelMatrix:
    """The arrays that Cole et al. distribute.

    Args:
        root: folder with ``formatted_{phase}_images.npy`` (N,) names and
            ``formatted_{phase}_labels.npy`` (N, C) zeros and ones.
        classes: C.
        phase: ``'train'`` or ``'val'``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: an array is of another shape, or not of zeros and ones.
    """
    files = [
        Path(root, f'formatted_{phase}_{kind}.npy') for kind in ('images', 'labels')
    ]
    for path in files:
        if not path.is_file():
            raise FileNotFoundError(f'there is no array at {path}')
    images, labels = (np.load(path, allow_pickle=False) for path in files)
    if labels.ndim != 2 or labels.shape[1] != classes:
        raise ValueError(
            f'{files[1]}: expected shape (N, {classes}), found {labels.shape}'
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f'{files[1]}: expected zeros and ones only')
    if images.ndim != 1 or images.dtype.kind != 'U':
        raise ValueError(
            f'{files[0]}: expected an array of names, found {images.dtype} of shape '
            f'{images.shape}'
        )
    return _matched(images.tolist(), labels.astype(bool), files)


def _listed_labels(listing: Path, classes: int) -> LabelMatrix:
    entries = read_label_list(listing)
    labels = np.zeros((len(entries), classes), dtype=bool)
    for row, entry in zip(labels, entries):
        if any(not 0 <= label < classes for label in entry.positives):
            raise ValueError(
                f'{listing}:{entry.line}: a label is outside 0..{classes - 1}: '
                f'{entry.positives}'
            )
        row[entry.positives] = True
    return LabelMatrix([entry.image for entry in entries], labels, [listing])


def _matched(
    images: Sequence[str], labels: np.ndarray, files: list[Path]
) -> LabelMatrix:
    if len(images) != len(labels):
        raise ValueError(
            f'{files[0]} lists {len(images):,} photos, but the labels in '
            f'{files[-1].parent} are of {len(labels):,}'
        )
    return LabelMatrix(images, labels, files)
