"""Heat maps over pairs of labels, legible from a handful to several hundred."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from .drawing import save_figure

# Above this number the names would be smaller than can be read.
MAX_NAMED = 400
# The cost of the best order grows with the cube of the number of labels.
MAX_OPTIMAL = 400
# Width of a letter in inches, for a font of one point.
LETTER = 0.0085
# Whether values lie below and above the colours -> where the bar has a point.
EXTEND = {
    (False, False): 'neither',
    (True, False): 'min',
    (False, True): 'max',
    (True, True): 'both',
}


class HeatMap(NamedTuple):
    """A matrix to draw.

    Attributes:
        values: ``(C, C)``; the diagonal and NaN are grey.
        title: above it.
        unit: what the colours mean.
    """

    values: np.ndarray
    title: str
    unit: str


def cluster_order(similarity: np.ndarray) -> np.ndarray:
    """An order in which similar labels stand next to each other.

    Average linkage; up to 400 labels the leaves are ordered so that neighbours are
    as similar as possible.

    Args:
        similarity: ``(C, C)``, the higher the more alike; made symmetric.

    Returns:
        ``(C,)`` indices.
    """
    size = len(similarity)
    if size < 3:
        return np.arange(size)
    symmetric = (similarity + similarity.T) / 2
    distance = symmetric.max() - symmetric
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    tree = linkage(condensed, 'average')
    if size <= MAX_OPTIMAL:
        tree = optimal_leaf_ordering(tree, condensed)
    return leaves_list(tree)


def draw_heat_maps(
    maps: Sequence[HeatMap],
    names: Sequence[str],
    path: Path,
    order: Optional[np.ndarray] = None,
) -> None:
    """Draw matrices side by side, each with colours of its own range.

    The range is that of the values off the diagonal, without the outermost hundredth
    on either side, so that a few pairs do not darken all others. Names stand at rows
    and columns up to 400 labels; of more, every fiftieth is named.

    Args:
        maps: of the same C labels.
        names: C names.
        path: PNG file.
        order: in which the labels stand; their own by default.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    size = len(names)
    order = np.arange(size) if order is None else np.asarray(order)
    # Inches a label, points of its name.
    pitch, font = (0.26, 9) if size <= 40 else (0.14, 7) if size <= 120 else (0.1, 5.5)
    every = 1
    if size > MAX_NAMED:
        pitch, font, every = 0.02, 7, 50
    ticks = np.arange(0, size, every)
    shown = [_short(names[i]) for i in order[ticks]]
    side = max(3.6, size * pitch)
    # Large pictures are looked at from farther away.
    large = 10 + side / 3
    margin = 0.2 + max(map(len, shown)) * font * LETTER
    top, right = large / 30, 0.3 + side / 40 + large / 11
    width, height = margin + side + right, margin + side + top
    # Placed by hand: to let matplotlib measure hundreds of names takes long.
    figure = plt.figure(figsize=(len(maps) * width, height))
    colours = plt.get_cmap('cividis').with_extremes(bad='0.85')
    for number, item in enumerate(maps):
        values = np.array(item.values, dtype=float)[np.ix_(order, order)]
        np.fill_diagonal(values, np.nan)
        low, high = _range(values)

        def place(x: float, y: float, w: float, h: float, left: float = number * width):
            box = ((left + x) / len(maps) / width, y / height)
            return figure.add_axes((*box, w / len(maps) / width, h / height))

        axis = place(margin, margin, side, side)
        image = axis.imshow(
            values, cmap=colours, vmin=low, vmax=high, interpolation='nearest'
        )
        axis.set_xticks(ticks, shown, rotation=90, fontsize=font)
        axis.set_yticks(ticks, shown, fontsize=font)
        axis.tick_params(length=1.5, pad=1.5)
        axis.set_title(item.title, fontsize=large)
        length = min(side, 3 + side / 10)
        beside = (margin + side + 0.1, margin + (side - length) / 2)
        finite = values[np.isfinite(values)]
        cut = (bool((finite < low).any()), bool((finite > high).any()))
        bar = figure.colorbar(
            image,
            cax=place(*beside, 0.15 + side / 60, length),
            extend=EXTEND[cut],
        )
        bar.set_label(item.unit, fontsize=large)
        bar.ax.tick_params(labelsize=large)
    save_figure(figure, path)


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.percentile(finite, (1, 99))
    if low == high:
        low, high = finite.min(), finite.max()
    return float(low), float(high if high > low else low + 1)


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else name[: most - 1] + '\u2026'
