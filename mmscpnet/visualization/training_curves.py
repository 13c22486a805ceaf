"""mAP by epoch of several runs, with published curves behind them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from mmscpnet.benchmarks.curves import Curve

from .drawing import save_figure
from .label_feature_map import COLOURS


def draw_training_curves(
    runs: Mapping[str, Curve],
    published: Mapping[str, Curve],
    path: Path,
    title: str,
    ylabel: str = 'mAP',
) -> None:
    """Averaged weights drawn through, plain ones dashed, published ones thin and grey.

    Published curves are named at their end.

    Args:
        runs: name -> curve.
        published: likewise.
        path: PNG or SVG, written whole.
        title: above it.
        ylabel: what the figures are.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5.5), layout='constrained')
    for name, curve in published.items():
        _draw(axis, None, curve, dict(color='0.5', linewidth=1))
        # Named where it ends: greys could not be told apart.
        shown = [(e, p if m is None else m) for e, p, m in zip(*curve)]
        axis.annotate(
            f'{name} (published)',
            shown[-1],
            (4, 0),
            textcoords='offset points',
            va='center',
            fontsize=8,
            color='0.35',
        )
    for number, (name, curve) in enumerate(runs.items()):
        _draw(axis, name, curve, dict(color=COLOURS[number % len(COLOURS)]))
    if published:
        axis.margins(x=0.15)
    axis.set(xlabel='epoch', ylabel=ylabel, title=title)
    axis.grid(alpha=0.3)
    figure.legend(loc='outside lower center', ncols=3, fontsize=8, frameon=False)
    save_figure(figure, path, dpi=120)


def _draw(axis, name: Optional[str], curve: Curve, style: dict) -> None:
    """Both models of a run; without a name they are left out of the legend."""
    averaged = [(e, v) for e, v in zip(curve.epochs, curve.ema) if v is not None]
    label = name and f'{name}, averaged'
    if averaged:
        axis.plot(*zip(*averaged), '-', label=label, **style)
        label = name and f'{name}, plain'
    else:
        label = name
    line = '--' if averaged else '-'
    axis.plot(curve.epochs, curve.plain, line, label=label, **style)
