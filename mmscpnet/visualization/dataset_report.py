"""The report of a data set: one Markdown file with pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmscpnet.datasets.label_statistics import LabelStatistics, SplitLabels
from mmscpnet.datasets.label_warnings import find_warnings

from .label_figures import (
    MAX_BARS,
    draw_cardinality,
    draw_cooccurrence,
    draw_frequencies,
    draw_known_share,
)
from .markdown import escape, markdown_table

REPORT = 'report.md'
NUM_PAIRS = 20


def write_dataset_report(
    splits: Sequence[SplitLabels],
    folder: Path,
    title: str,
    command: str,
    few: int = 10,
    notes: Sequence[str] = (),
) -> list[str]:
    """Write ``report.md`` and its pictures.

    Args:
        splits: at least one; the first is taken for the training set.
        folder: where to; it exists.
        title: of the report.
        command: that makes it.
        few: see :func:`find_warnings`.
        notes: sentences under the title.

    Returns:
        The warnings.

    Raises:
        ValueError: the splits have different classes.
    """
    classes = splits[0].classes
    for split in splits:
        if split.classes != classes:
            raise ValueError(
                f'{splits[0].name} and {split.name} have different classes; report '
                'them one by one'
            )
    found = find_warnings(splits, few)
    parts = [f'# {title}', f'`{command}`', *notes, summary_table(splits)]
    parts += ['## Warnings', '\n'.join(f'- {escape(w)}' for w in found) or 'None.']
    parts += ['## Label frequencies', '![](frequencies.png)']
    draw_frequencies(splits, folder / 'frequencies.png')
    if len(classes) > MAX_BARS:
        parts.append(f'The {MAX_BARS} most frequent of {len(classes):,} classes.')
    parts += ['## Labels an image', '![](cardinality.png)']
    draw_cardinality(splits, folder / 'cardinality.png')
    parts += ['## Known and unknown', *_known(splits, folder)]
    parts += ['## Labels that occur together', *_cooccurrence(splits, folder)]
    parts += ['## Classes', class_table(splits)]
    (folder / REPORT).write_text('\n\n'.join(parts) + '\n', encoding='utf-8')
    return found


def summary_table(splits: Sequence[SplitLabels]) -> str:
    """Totals, a column a split; with labels before masking where there is masking."""
    columns: list[tuple[str, LabelStatistics]] = []
    for split in splits:
        columns.append((split.name, split.observed))
        if split.full is not None:
            columns.append((f'{split.name}, before masking', split.full))

    def row(name: str, count, form: str = ',') -> list[str]:
        return [name, *(format(count(c), form) for _, c in columns)]

    cells = {name: c.images * len(c.positives) or 1 for name, c in columns}
    shares = [f'{c.unknowns.sum() / cells[name]:.1%}' for name, c in columns]
    rows = [
        row('images', lambda c: c.images),
        row('classes', lambda c: len(c.positives)),
        row('known positives', lambda c: c.positives.sum()),
        row('known negatives', lambda c: c.negatives.sum()),
        row('unknown', lambda c: c.unknowns.sum()),
        ['share of unknown labels', *shares],
        row('known positives an image', lambda c: c.mean_cardinality, '.3f'),
        row('most known positives of an image', _most_positives),
        row('images without a known positive', lambda c: c.without_positive),
        row('images without any known label', lambda c: c.without_label),
        row('classes never positive', lambda c: (c.positives == 0).sum()),
    ]
    return markdown_table(['', *(name for name, _ in columns)], rows)


def _most_positives(counted: LabelStatistics) -> int:
    return int(np.flatnonzero(counted.cardinality).max(initial=0))


def class_table(splits: Sequence[SplitLabels]) -> str:
    """Known positives, negatives and share of unknowns of each class and split."""
    header = ['', 'class']
    columns: list[list[str]] = []
    for split in splits:
        counted = split.observed
        header += [f'{split.name}: positive', 'negative', 'unknown']
        unknown = counted.unknowns / max(1, counted.images)
        columns += [
            [f'{n:,}' for n in counted.positives],
            [f'{n:,}' for n in counted.negatives],
            [f'{share:.1%}' for share in unknown],
        ]
        if split.full is not None:
            header.append('positive before masking')
            columns.append([f'{n:,}' for n in split.full.positives])
    names = splits[0].classes
    rows = [[str(i), names[i], *(c[i] for c in columns)] for i in range(len(names))]
    return markdown_table(header, rows, 'rl' + 'r' * len(columns))


def _known(splits: Sequence[SplitLabels], folder: Path) -> list[str]:
    parts = []
    for split in splits:
        if not split.observed.unknowns.any():
            parts.append(f'{split.name}: every label is known.')
            continue
        file = f'known_{split.name}.png'
        draw_known_share(split, folder / file)
        parts.append(f'![]({file})')
    return parts


def _cooccurrence(splits: Sequence[SplitLabels], folder: Path) -> list[str]:
    parts = []
    for split in splits:
        found = _cooccurrence_of(split, folder)
        if found:
            parts.append(
                'Of the images that show the label of a row, the share that show the '
                'label of a column.'
            )
        parts += found or [f'{split.name}: no image has two known positives.']
        if found:
            # Later splits are expected to look alike.
            break
    return parts


def _cooccurrence_of(split: SplitLabels, folder: Path) -> list[str]:
    parts = []
    for name, counted in (('', split.observed), ('_before_masking', split.full)):
        pairs = counted.strongest_pairs(NUM_PAIRS) if counted else []
        if pairs:
            file = f'cooccurrence_{split.name}{name}.png'
            draw_cooccurrence(split, folder / file, before_masking=bool(name))
            parts += [f'![]({file})', _pair_table(split, pairs)]
    return parts


def _pair_table(split: SplitLabels, pairs: list[tuple[int, int, int]]) -> str:
    rows = [[split.classes[a], split.classes[b], f'{n:,}'] for n, a, b in pairs]
    return markdown_table(['class', 'class', 'images with both'], rows, 'llr')
