"""Pictures of decisions: average precision, reliability, confused pairs, errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmscpnet.evaluation.calibration import Reliability
from mmscpnet.evaluation.decision_errors import ConfusedPair

from .contact_sheet import ContactSheetItem, draw_contact_sheet
from .drawing import save_figure
from .label_figures import MAX_BARS, _panels, shortened

# Okabe-Ito, told apart by the colour-blind.
BLUE, ORANGE, GREY = '#0072B2', '#D55E00', '#777777'
LABELS_BESIDE = 5


def draw_average_precision(
    classes: Sequence[str], average_precision: np.ndarray, path: Path
) -> None:
    """Average precision of each class in percent, sorted, and their mean.

    Args:
        classes: C names.
        average_precision: ``(C,)`` in [0, 1]; NaN where a class has no known positive.
        path: PNG to write.
    """
    values = 100 * np.asarray(average_precision, dtype=float)
    order = np.argsort(-np.nan_to_num(values, nan=-1), kind='stable')[:MAX_BARS]
    figure, axes = _panels(classes, order)
    measured = ~np.isnan(values)
    mean = values[measured].mean() if measured.any() else 0.0
    for axis, rows, chosen in axes:
        axis.barh(rows, np.nan_to_num(values[chosen]), color=BLUE, height=0.8)
        for row, value in zip(rows, values[chosen]):
            text = '\u2013' if np.isnan(value) else f'{value:.0f}'
            axis.text(113, row, text, va='center', ha='right', fontsize=7)
        axis.axvline(mean, color=ORANGE, linewidth=1.2)
        axis.set_xlim(0, 115)
        axis.set_xticks([0, 25, 50, 75, 100])
        axis.set_xlabel('average precision, %')
    count = int(measured.sum())
    text = f'AP; the line is the mean of {count} classes, {mean:.1f}%'
    if count < len(values):
        text += ' (\u2013: no known positive)'
    _heading(figure, text)
    save_figure(figure, path)


def draw_reliability(panels: Sequence[tuple[str, Reliability]], path: Path) -> None:
    """How many entries of a probability are positive, and how many entries there are.

    Args:
        panels: title and bins of each panel, side by side.
        path: PNG to write.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    figure, axes = plt.subplots(
        2,
        len(panels),
        figsize=(4.2 * len(panels), 5.2),
        height_ratios=(3, 1),
        sharex=True,
        sharey='row',
        squeeze=False,
        layout='constrained',
    )
    for (title, bins), axis, below in zip(panels, *axes):
        width = 1 / len(bins.count)
        centres = (np.arange(len(bins.count)) + 0.5) * width
        filled = bins.count > 0
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, label='perfect')
        axis.plot(
            bins.mean[filled], bins.positive[filled], 'o-', color=BLUE, label='found'
        )
        axis.vlines(
            bins.mean[filled],
            bins.positive[filled],
            bins.mean[filled],
            color=ORANGE,
            linewidth=1.2,
            label='gap',
        )
        axis.set_title(f'{title}: ECE {100 * bins.ece:.2f}%')
        axis.set(xlim=(0, 1), ylim=(0, 1))
        axis.grid(alpha=0.3)
        below.bar(centres, bins.count, width * 0.9, color=BLUE)
        below.set_yscale('log')
        below.yaxis.set_minor_formatter(NullFormatter())
        below.set_xlabel('probability')
        below.grid(alpha=0.3)
    axes[0, 0].set_ylabel('share of positives')
    axes[1, 0].set_ylabel('known entries')
    axes[0, 0].legend(loc='upper left')
    save_figure(figure, path)


def draw_class_errors(
    classes: Sequence[str],
    before: np.ndarray,
    after: np.ndarray,
    path: Path,
) -> None:
    """Expected calibration error of each class before and after, in percent.

    Args:
        classes: C names.
        before: ``(C,)`` in [0, 1]; NaN where nothing is known.
        after: the same.
        path: PNG to write.
    """
    order = np.argsort(-np.nan_to_num(before, nan=-1), kind='stable')[:MAX_BARS]
    figure, axes = _panels(classes, order)
    most = 100 * np.nanmax(np.append(np.concatenate([before, after]), 0.01))
    for axis, rows, chosen in axes:
        old, new = 100 * before[chosen], 100 * after[chosen]
        axis.hlines(rows, old, new, color=GREY, linewidth=1)
        axis.plot(old, rows, 's', color=ORANGE, markersize=4, label='before')
        axis.plot(new, rows, 'o', color=BLUE, markersize=4, label='after')
        axis.set_xlim(-0.02 * most, 1.05 * most)
        axis.grid(alpha=0.3)
        axis.set_xlabel('ECE, %')
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='upper left', ncols=2, frameon=False)
    save_figure(figure, path)


def draw_confused_pairs(
    pairs: Sequence[ConfusedPair], classes: Sequence[str], path: Path
) -> None:
    """The most confused pairs as bars: missed, and what was given in its place."""
    names = [
        ' \u2192 '.join(shortened(classes[c], 24) for c in (pair.missed, pair.given))
        for pair in pairs
    ]
    figure, ((axis, rows, _),) = _panels(names, np.arange(len(pairs)), longest=51)
    counts = np.array([pair.count for pair in pairs])
    axis.barh(rows, counts, color=BLUE, height=0.8)
    for row, pair in zip(rows, pairs):
        axis.text(
            pair.count + counts.max() * 0.02,
            row,
            f'{pair.count} ({100 * pair.share:.0f}%)',
            va='center',
            fontsize=7,
        )
    axis.set_xlim(0, counts.max() * 1.3)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel('images (% of the known positives)')
    _heading(figure, 'Missed \u2192 given instead')
    save_figure(figure, path)


def draw_errors(
    entries: Sequence[tuple[int, int]],
    table,
    probabilities: np.ndarray,
    decisions: np.ndarray,
    path: Path,
    title: str,
) -> None:
    """Photos of false decisions, titled by the label in question.

    Args:
        entries: image and class of each error.
        table: a :class:`mmscpnet.evaluation.ScoreTable`.
        probabilities: ``(N, C)``.
        decisions: ``(N, C)`` bool.
        path: PNG to write.
        title: above the sheet.
    """
    items = []
    for image, label in entries:
        # The label in question, and what is surest of that which is there.
        present = np.flatnonzero(table.targets[image] == 1)
        present = present[np.argsort(-probabilities[image, present], kind='stable')]
        shown = list(dict.fromkeys([label, *present[:LABELS_BESIDE]]))
        items.append(
            ContactSheetItem(
                table.img_path[image] or None,
                [table.classes[c] for c in shown],
                probabilities[image, shown],
                table.targets[image, shown],
                f'{probabilities[image, label]:.2f} {table.classes[label]}',
                decisions[image, shown],
            )
        )
    draw_contact_sheet(
        items, path, tile=160, columns=6, max_labels=LABELS_BESIDE + 1, title=title
    )


def _heading(figure, text: str) -> None:
    figure.text(0.01, 1 - 0.12 / figure.get_figheight(), text, va='top', fontsize=9)
