"""A label graph as a network: labels as nodes, their strongest neighbours as edges."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import networkx as nx
import numpy as np

from .drawing import save_figure
from .heat_map import cluster_order
from .label_feature_map import COLOURS, SHAPES

LAYOUTS = ('auto', 'force', 'circle')
# With more labels, names in a plane would cover each other.
MAX_FORCE = 100
# Names of a circle: inches a name, and width of a letter for a font of one point.
PITCH, LETTER = 0.115, 0.0085
MAX_NAME = 40


def strongest_neighbors(weights: np.ndarray, neighbors: int) -> nx.Graph:
    """The network of each label's strongest neighbours.

    Args:
        weights: ``(C, C)``, row i the weights of the neighbours of label i; 0 or less
            for none. The diagonal is left out.
        neighbors: edges that a label starts, at most; others may lead to it.

    Returns:
        An undirected graph of nodes 0 to C - 1, with the larger of both directions as
        ``weight``. Node attribute ``chosen``: how many labels have it as neighbour.
    """
    weights = np.array(weights, dtype=float)
    np.fill_diagonal(weights, 0)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(weights)), chosen=0)
    for label, row in enumerate(weights):
        for other in np.argsort(-row, kind='stable')[:neighbors].tolist():
            if row[other] <= 0:
                break
            former = graph.get_edge_data(label, other, {}).get('weight', 0)
            graph.add_edge(label, other, weight=max(former, row[other]))
            graph.nodes[other]['chosen'] += 1
    return graph


def place_nodes(graph: nx.Graph, layout: str, order: Sequence[int]) -> np.ndarray:
    """Places ``(C, 2)`` of the nodes.

    Args:
        graph: see :func:`strongest_neighbors`.
        layout: ``'force'`` (Kamada and Kawai's: distances as in the network) or
            ``'circle'``.
        order: of the labels on the circle.
    """
    if layout == 'circle':
        places = nx.circular_layout([int(i) for i in order])
        return np.array([places[i] for i in range(len(graph))])
    steps = dict(nx.all_pairs_shortest_path_length(graph))
    farthest = max(max(row.values()) for row in steps.values())
    # Parts without a path between them stand a little farther than all else.
    distances = {i: {j: steps[i].get(j, farthest + 2) for j in graph} for i in graph}
    places = nx.kamada_kawai_layout(graph, dist=distances)
    return np.array([places[i] for i in range(len(graph))])


def draw_label_network(
    weights: np.ndarray,
    names: Sequence[str],
    categories: Sequence[str],
    path: Path,
    title: str = '',
    neighbors: int = 3,
    layout: str = 'auto',
    similarity: Optional[np.ndarray] = None,
    legend: bool = True,
) -> None:
    """Draw the strongest neighbours of each label.

    The more labels have a label as neighbour, the larger its mark; the stronger the
    weight, the wider the edge.

    Args:
        weights: ``(C, C)``, such as Eq. 3.
        names: C.
        categories: C, marks are coloured and shaped alike.
        path: PNG or SVG, written whole; one that is there is replaced.
        title: above.
        neighbors: edges that a label starts.
        layout: one of ``LAYOUTS``; ``'auto'`` is force up to 100 labels, and beyond
            that a circle, on which every name has room.
        similarity: ``(C, C)`` that orders the circle; ``weights`` by default.
        legend: whether to name the categories.

    Raises:
        ValueError: an unknown layout, or fewer than one neighbour.
    """
    if layout not in LAYOUTS or neighbors < 1:
        raise ValueError(
            f'a label network needs a layout of {LAYOUTS} and at least one neighbour, '
            f'found {layout!r} and {neighbors}'
        )
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    if layout == 'auto':
        layout = 'force' if len(names) <= MAX_FORCE else 'circle'
    graph = strongest_neighbors(weights, neighbors)
    order = cluster_order(np.asarray(weights if similarity is None else similarity))
    places = place_nodes(graph, layout, order)
    names = [n if len(n) <= MAX_NAME else n[: MAX_NAME - 1] + '\u2026' for n in names]
    known = sorted(set(categories))
    marks = [_mark(known.index(category)) for category in categories]
    draw = _draw_circle if layout == 'circle' else _draw_force
    figure, axis = plt.subplots(layout='constrained')
    draw(figure, axis, graph, places, names, marks)
    axis.set_axis_off()
    if title:
        axis.set_title(title, fontsize=11 + figure.get_figwidth() / 4)
    if legend:
        for number, category in enumerate(known):
            colour, shape = _mark(number)
            axis.scatter([], [], color=colour, marker=shape, s=60, label=category)
        figure.legend(
            loc='outside lower center',
            ncols=min(len(known), max(1, int(figure.get_figwidth() / 2))),
            frameon=False,
        )
    save_figure(figure, path)


def _mark(number: int) -> tuple[str, str]:
    """Colour and shape; seven of each, shifted so that pairs do not repeat soon."""
    shift = number + number // len(COLOURS)
    return COLOURS[number % len(COLOURS)], SHAPES[shift % len(SHAPES)]


def _draw_nodes(axis, graph: nx.Graph, places, marks, scale: float) -> None:
    for node, (x, y) in enumerate(places):
        size = scale * (1 + graph.nodes[node]['chosen'] / 2)
        colour, shape = marks[node]
        axis.scatter(x, y, s=size, color=colour, marker=shape, zorder=2, linewidths=0)


def _widths(graph: nx.Graph) -> dict[tuple[int, int], float]:
    """Edges -> 0 for the weakest to 1 for the strongest."""
    weights = nx.get_edge_attributes(graph, 'weight')
    low, high = min(weights.values(), default=0), max(weights.values(), default=1)
    return {
        edge: (weight - low) / (high - low) if high > low else 1.0
        for edge, weight in weights.items()
    }


def _draw_force(figure, axis, graph, places, names, marks) -> None:
    import matplotlib.patheffects as effects

    side = 7 if len(names) <= 40 else 13
    figure.set_size_inches(side * 1.25, side)
    for (a, b), strength in _widths(graph).items():
        axis.plot(
            *places[[a, b]].T,
            color='0.55',
            alpha=0.35 + 0.5 * strength,
            linewidth=0.5 + 2 * strength,
            zorder=1,
        )
    _draw_nodes(axis, graph, places, marks, 40)
    for name, place in zip(names, places):
        axis.annotate(
            name,
            place,
            (0, 6),
            textcoords='offset points',
            ha='center',
            fontsize=10 if len(names) <= 40 else 8.5,
            path_effects=[effects.withStroke(linewidth=2.5, foreground='white')],
            zorder=3,
        )
    axis.margins(0.08, 0.06)


def _draw_circle(figure, axis, graph, places, names, marks) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    font = 7
    radius = max(2.0, len(names) * PITCH / (2 * np.pi))
    room = max(map(len, names)) * font * LETTER + 0.25
    figure.set_size_inches(2 * (radius + room), 2 * (radius + room) + 0.6)
    for (a, b), strength in _widths(graph).items():
        # Bent towards the middle, so that near labels' edges do not hide the rim.
        curve = Curve(
            [places[a], (places[a] + places[b]) * 0.2, places[b]],
            [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3],
        )
        axis.add_patch(
            PathPatch(
                curve,
                facecolor='none',
                edgecolor=marks[a][0],
                alpha=0.25 + 0.5 * strength,
                linewidth=0.4 + 1.2 * strength,
                zorder=1,
            )
        )
    _draw_nodes(axis, graph, places, marks, 12)
    for name, (x, y) in zip(names, places):
        angle = np.degrees(np.arctan2(y, x))
        left = abs(angle) > 90
        axis.text(
            x * (1 + 0.1 / radius),
            y * (1 + 0.1 / radius),
            name,
            rotation=angle + 180 * left,
            rotation_mode='anchor',
            ha='right' if left else 'left',
            va='center',
            fontsize=font,
        )
    limit = 1 + room / radius
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect='equal')
