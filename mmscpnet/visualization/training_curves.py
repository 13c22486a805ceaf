"""mAP by epoch of several runs, with published curves behind them."""

import os
from collections.abc import Mapping
from pathlib import Path

from mmscpnet.benchmarks.curves import Curve

from .label_feature_map import COLOURS


def draw_training_curves(
    runs: Mapping[str, Curve], published: Mapping[str, Curve], path: Path, title: str
) -> None:
    """Averaged weights drawn through, plain ones dashed, published ones thin and grey.

    Args:
        runs: name -> curve.
        published: likewise.
        path: PNG or SVG, written whole.
        title: above it.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5.5), layout='constrained')
    for number, (name, curve) in enumerate(published.items()):
        style = dict(color=str(0.45 + 0.25 * (number % 2)), linewidth=1)
        _draw(axis, f'{name} (published)', curve, style)
    for number, (name, curve) in enumerate(runs.items()):
        _draw(axis, name, curve, dict(color=COLOURS[number % len(COLOURS)]))
    axis.set(xlabel='epoch', ylabel='mAP', title=title)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    partial = path.with_name(f'.{path.stem}.partial{path.suffix}')
    figure.savefig(partial, dpi=120)
    plt.close(figure)
    os.replace(partial, path)


def _draw(axis, name: str, curve: Curve, style: dict) -> None:
    averaged = [(e, v) for e, v in zip(curve.epochs, curve.ema) if v is not None]
    plain = 'plain' if averaged else ''
    if averaged:
        axis.plot(*zip(*averaged), '-', label=f'{name}, averaged', **style)
    axis.plot(
        curve.epochs,
        curve.plain,
        '--' if averaged else '-',
        label=f'{name}, {plain}'.rstrip(', '),
        **style,
    )
