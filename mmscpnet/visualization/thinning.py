"""A picture of what a labelling protocol leaves of each class."""

import math
from pathlib import Path

import numpy as np

from .drawing import save_figure

# Okabe-Ito, told apart by the colour-blind.
STATES = dict(positives='#0072B2', negatives='#E69F00', unknowns='#DDDDDD')
NAMES = dict(positives='known positive', negatives='known negative', unknowns='unknown')
ROWS = 80
MAX_CLASSES = 640


def draw_thinning(before: dict, after: dict, path: Path, title: str) -> None:
    """Draw the labels of each class before and after, the frequent classes first.

    To the left the number of known positives, on a logarithmic axis; to the right what
    share of the images has the label as known positive, known negative or unknown, the
    upper half of a bar before and the lower half after. Legible from a handful of
    classes to several hundred, which stand in columns of 80; of more than 640 the
    frequent ones are shown.

    Args:
        before: :attr:`AnnotationWriter.statistics` of the input.
        after: the same of the output; its images may be fewer.
        path: the PNG.
        title: what is shown.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    names = sorted(
        before['per_class'], key=lambda name: -before['per_class'][name]['positives']
    )[:MAX_CLASSES]
    columns = math.ceil(len(names) / ROWS)
    rows = math.ceil(len(names) / columns)
    figure, axes = plt.subplots(
        1,
        2 * columns,
        figsize=(8 * columns, 1.8 + 0.2 * max(rows, 6)),
        squeeze=False,
        layout='constrained',
    )
    most = max(1, *(counts['positives'] for counts in before['per_class'].values()))
    for column in range(columns):
        chosen = names[column * rows : (column + 1) * rows]
        left, right = axes[0][2 * column : 2 * column + 2]
        _positives(left, before, after, chosen, most)
        _shares(right, before, after, chosen)
        for axis in (left, right):
            # As many rows in the last column as in the others, so that they align.
            axis.set_ylim(rows - 0.4, -0.6)
            axis.tick_params(axis='y', length=0)
        left.set_yticks(range(len(chosen)), [_short(name) for name in chosen])
        right.set_yticks([])
    handles = [*axes[0][0].get_legend_handles_labels()[0]]
    handles += axes[0][1].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc='outside lower center', ncols=3, frameon=False)
    figure.suptitle(
        f'{title}: {before["positives"]:,} → {after["positives"]:,} known positives, '
        f'{before["negatives"]:,} → {after["negatives"]:,} known negatives\n'
        'bars: share of the images, above before, below after'
    )
    save_figure(figure, path, dpi=100)


def _positives(axis, before: dict, after: dict, names: list, most: int) -> None:
    y = np.arange(len(names))
    old, new = (_counts(part, names)['positives'] for part in (before, after))
    # Zero has no place on a logarithmic axis: it is drawn left of one.
    old, new = (np.where(values > 0, values, 0.5) for values in (old, new))
    axis.hlines(y, np.minimum(old, new), np.maximum(old, new), color='#BBBBBB')
    style = dict(linestyle='none', color=STATES['positives'], markersize=6)
    axis.plot(old, y, 'o', markerfacecolor='white', label='positives before', **style)
    axis.plot(new, y, 'o', label='positives after', **style)
    axis.set_xscale('log')
    axis.set_xlim(0.4, most * 1.5)
    ticks = [10**power for power in range(len(str(most)))]
    axis.set_xticks([0.5, *ticks], ['0', *(f'{tick:,}' for tick in ticks)])
    axis.minorticks_off()
    axis.grid(axis='x', alpha=0.4)
    axis.set_xlabel('known positives')


def _shares(axis, before: dict, after: dict, names: list) -> None:
    y = np.arange(len(names))
    for shift, part in ((-0.21, before), (0.21, after)):
        left = np.zeros(len(names))
        for state, values in _counts(part, names).items():
            share = values / max(1, part['images'])
            # One entry a state in the legend.
            label = NAMES[state] if part is before else None
            axis.barh(
                y + shift, share, 0.4, left=left, color=STATES[state], label=label
            )
            left += share
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.5, 1])
    axis.set_xlabel('share of images')


def _counts(part: dict, names: list) -> dict[str, np.ndarray]:
    return {
        state: np.array([part['per_class'][name][state] for name in names])
        for state in STATES
    }


def _short(name: str, most: int = 32) -> str:
    return name if len(name) <= most else name[: most - 1] + '…'
