"""Pictures of label counts, legible from a handful of labels to several hundred."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmscpnet.datasets.label_statistics import SplitLabels

from .drawing import save_figure
from .heat_map import LETTER, HeatMap, cluster_order, draw_heat_maps

# Okabe-Ito, told apart by the colour-blind.
SPLIT_STYLES = (('#0072B2', 'o'), ('#D55E00', 's'), ('#009E73', '^'), ('#CC79A7', 'D'))
STATE_COLOURS = {
    'known positive': '#0072B2',
    'unknown, in truth positive': '#56B4E9',
    'known negative': '#E69F00',
    'unknown': '#DDDDDD',
}
ROWS = 80
MAX_BARS = 640


def frequency_order(split: SplitLabels) -> np.ndarray:
    """Classes from the most to the least frequent, before any masking."""
    return np.argsort(-split.truth.positives, kind='stable')


def draw_frequencies(splits: Sequence[SplitLabels], path: Path) -> None:
    """On how many images each class is a known positive, a mark a split.

    Classes stand in the order of their frequency in the first split, on a
    logarithmic axis; a class that is never positive is marked at the left edge.
    """
    order = frequency_order(splits[0])[:MAX_BARS]
    figure, axes = _panels(splits[0].classes, order)
    most = max(1, *(int(split.observed.positives.max()) for split in splits))
    for axis, rows, chosen in axes:
        for split, (colour, marker) in zip(splits, SPLIT_STYLES):
            counts = split.observed.positives[chosen]
            style = dict(linestyle='none', color=colour)
            some, none = counts > 0, counts == 0
            axis.plot(
                counts[some],
                rows[some],
                marker,
                **style,
                markersize=4,
                label=split.name,
            )
            # Zero has no place on a logarithmic axis.
            left = np.full(none.sum(), 0.6)
            axis.plot(left, rows[none], 'x', **style, markersize=6, markeredgewidth=2)
        axis.set_xscale('log')
        axis.set_xlim(0.45, most * 1.6)
        axis.grid(alpha=0.3)
        axis.set_xlabel('images (\u00d7: none)')
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='upper left', ncols=4, frameon=False)
    save_figure(figure, path)


def draw_known_share(split: SplitLabels, path: Path) -> None:
    """How much is known of each class, see :func:`state_counts`, as shares."""
    order = frequency_order(split)[:MAX_BARS]
    figure, axes = _panels(split.classes, order)
    counts = state_counts(split)
    images = max(1, split.observed.images)
    for axis, rows, chosen in axes:
        left = np.zeros(len(chosen))
        for label, values in counts.items():
            share = values[chosen] / images
            colour = STATE_COLOURS[label]
            axis.barh(rows, share, left=left, color=colour, height=0.85, label=label)
            left += share
        axis.set_xlim(0, 1)
        axis.set_xlabel(f'share of the {split.name} images')
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='upper left', ncols=2, frameon=False)
    save_figure(figure, path)


def state_counts(split: SplitLabels) -> dict[str, np.ndarray]:
    """Images in each state of a label, ``(C,)`` each; together they are all images.

    Where labels are masked, the unknown ones that are positive before the masking are
    told from the others.
    """
    counted = split.observed
    states = {'known positive': counted.positives}
    unknown = counted.unknowns
    if split.full is not None:
        states['unknown, in truth positive'] = split.hidden_positives
        unknown = unknown - split.hidden_positives
    return {**states, 'known negative': counted.negatives, 'unknown': unknown}


def draw_cardinality(splits: Sequence[SplitLabels], path: Path) -> None:
    """How many known positives an image has, as shares of the images of a split."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 3.6), layout='constrained')
    curves = [(split.name, split.observed, '-') for split in splits]
    curves += [
        (f'{split.name}, before masking', split.full, ':')
        for split in splits
        if split.full is not None
    ]
    colours = {s.name: style for s, style in zip(splits, SPLIT_STYLES)}
    last = max(int(np.flatnonzero(c.cardinality).max()) for _, c, _ in curves)
    for name, counted, line in curves:
        colour, marker = colours[name.split(', ')[0]]
        share = counted.cardinality[: last + 1] / max(1, counted.images)
        label = f'{name} (mean {counted.mean_cardinality:.2f})'
        axis.plot(share, line, marker=marker, color=colour, markersize=4, label=label)
    axis.set(xlabel='known positives of an image', ylabel='share of the images')
    axis.set_ylim(bottom=0)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend()
    save_figure(figure, path)


def draw_cooccurrence(split: SplitLabels, path: Path, before_masking: bool) -> None:
    """Share of the images with one label (row) that have another (column) too."""
    counted = split.truth if before_masking else split.observed
    share = conditional_share(counted.cooccurrence.toarray())
    order = cluster_order(np.nan_to_num(share))
    which = 'before masking' if before_masking and split.full else 'known positives'
    title = f'{split.name}: co-occurrence, {which}'
    unit = 'share of the images of the row'
    draw_heat_maps([HeatMap(share, title, unit)], split.classes, path, order)


def conditional_share(counts: np.ndarray) -> np.ndarray:
    """Co-occurrence counts ``(C, C)`` -> P(column | row); NaN for empty rows."""
    totals = np.diag(counts).astype(float)[:, None]
    return np.divide(
        counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0
    )


def _panels(classes: Sequence[str], order: np.ndarray, longest: int = 30):
    """A figure of columns of class names, each with at most 80 rows."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    count = math.ceil(len(order) / ROWS)
    length = math.ceil(len(order) / count)
    pitch, font = (0.24, 9) if length <= 40 else (0.16, 8)
    names = [classes[i] for i in order]
    names = [shortened(n, longest) for n in names]
    # In inches. Placed by hand: to let matplotlib measure hundreds of names is slow.
    left, bottom, top = 0.1 + max(map(len, names)) * font * LETTER, 0.55, 0.55
    wide, high = max(1.8, 4.2 / count), length * pitch
    width, height = left + wide + 0.15, bottom + high + top
    figure = plt.figure(figsize=(count * width, height))
    panels = []
    for number in range(count):
        place = ((number * width + left) / count / width, bottom / height)
        axis = figure.add_axes((*place, wide / count / width, high / height))
        part = slice(number * length, (number + 1) * length)
        chosen = order[part]
        rows = np.arange(len(chosen))
        axis.set_yticks(rows, names[part], fontsize=font)
        # The same pitch in a column that is not full.
        axis.set_ylim(length - 0.5, -0.5)
        axis.tick_params(axis='y', length=0)
        panels.append((axis, rows, chosen))
    return figure, panels


def shortened(name: str, longest: int) -> str:
    """A name of at most so many letters."""
    return name if len(name) <= longest else name[: longest - 1] + '\u2026'
