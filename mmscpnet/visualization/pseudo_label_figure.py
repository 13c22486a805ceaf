"""Precision, recall and number of pseudo-labels by epoch, Figure 4 (left)."""

from collections.abc import Mapping
from pathlib import Path

from .drawing import save_figure
from .label_feature_map import COLOURS

# Which figures stand in a panel: title, unit of the axis, and names of the scalars.
PANELS = (
    ('precision of pseudo-labels', '%', ('precision', 'hidden_precision')),
    ('recall', '%', ('recall', 'hidden_recall')),
    ('pseudo-labels an image', '', ('per_image', 'hidden_per_image')),
)
PREDICTIONS = {'plain': 'plain', 'calibrated': 'after SASC'}
STYLES = ('-', '--')
ENTRIES = ('all labels', 'hidden labels')


def draw_pseudo_labels(
    history: Mapping[int, Mapping[str, float]], path: Path, title: str = ''
) -> None:
    """Draw what ``PseudoLabelDiagnosticsHook`` has logged.

    Args:
        history: 1-based epoch -> scalars by name.
        path: PNG or SVG, written whole; one that is there is replaced.
        title: above the picture.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(14, 4.6), layout='constrained')
    for axis, (heading, unit, names) in zip(axes, PANELS):
        for number, (prediction, text) in enumerate(PREDICTIONS.items()):
            for name, style, entries in zip(names, STYLES, ENTRIES):
                key = f'pseudo_labels/{prediction}/{name}'
                points = [
                    (e, history[e][key]) for e in sorted(history) if key in history[e]
                ]
                if points:
                    axis.plot(
                        *zip(*points),
                        style,
                        # Seen in a run of one epoch, too.
                        marker='os'[number] if len(points) < 40 else None,
                        markersize=4,
                        color=COLOURS[number],
                        label=f'{text}, {entries}',
                    )
        axis.set(xlabel='epoch', ylabel=unit, title=heading)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    if not handles:
        handles, labels = axes[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=4, frameon=False)
    if title:
        figure.suptitle(title)
    save_figure(figure, path, dpi=120)
