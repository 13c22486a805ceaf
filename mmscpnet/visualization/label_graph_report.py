"""The report of a label graph: one Markdown file with pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import torch

from mmscpnet.label_graph import LabelGraph, build_label_graph, topk_mask
from mmscpnet.label_graph.comparison import (
    nearest_labels,
    neighbor_overlap,
    off_diagonal,
    rank_correlation,
)
from mmscpnet.label_graph.graph import check_similarity

from .heat_map import HeatMap, cluster_order, draw_heat_maps
from .markdown import escape, markdown_table

REPORT = 'report.md'


class SourceGraph(NamedTuple):
    """A label similarity and the graph that is made of it.

    Attributes:
        name: of the source.
        similarity: ``(C, C)``, Eq. 1.
        kept: ``(C, C)`` bool, Eq. 2; None if no graph can be made.
        graph: Eq. 3 and 4; None likewise.
        reason: why there is no graph.
    """

    name: str
    similarity: np.ndarray
    kept: Optional[np.ndarray] = None
    graph: Optional[LabelGraph] = None
    reason: str = ''


def make_source_graph(
    name: str,
    similarity: torch.Tensor,
    classes: Sequence[str],
    settings: Optional[dict] = None,
) -> SourceGraph:
    """Build the graph of a similarity, if the settings allow one.

    Args:
        name: of the source.
        similarity: ``(C, C)``.
        classes: C names.
        settings: ``topk`` and the others of :func:`build_label_graph`; None where
            only the similarity is wanted.

    Raises:
        ValueError: a similarity that is not ``(C, C)`` or not finite.
    """
    check_similarity(similarity, classes)
    matrix = similarity.double().numpy()
    if settings is None:
        return SourceGraph(name, matrix, reason='the config has no label graph')
    try:
        graph = build_label_graph(similarity, names=classes, **settings)
    except ValueError as error:
        return SourceGraph(name, matrix, reason=str(error))
    kept = topk_mask(similarity, settings['topk']).numpy()
    return SourceGraph(name, matrix, kept, graph)


def write_label_graph_report(
    sources: Sequence[SourceGraph],
    classes: Sequence[str],
    folder: Path,
    title: str,
    command: str,
    k: int = 5,
    settings: Optional[dict] = None,
) -> None:
    """Write ``report.md`` and its pictures.

    Args:
        sources: one or two.
        classes: C names.
        folder: where to; it exists.
        title: of the report.
        command: that makes it.
        k: neighbours listed of each label; all, if there are not as many.
        settings: of the graph, for the text.
    """
    k = min(k, len(classes) - 1)
    parts = [f'# {title}', f'`{command}`', _describe(sources, classes, settings)]
    if len(sources) == 2:
        parts += ['## Agreement', agreement(*sources, classes, k)]
    order = cluster_order(sources[0].similarity)
    maps = [HeatMap(s.similarity, s.name, 'similarity (Eq. 1)') for s in sources]
    draw_heat_maps(maps, classes, folder / 'similarity.png', order)
    parts += ['## Similarities', _order_note(len(sources)), '![](similarity.png)']
    parts.append('## Label graph')
    graphs = [source for source in sources if source.graph is not None]
    for source in sources:
        if source.graph is None:
            parts.append(escape(f'No graph of {source.name}: {source.reason}.'))
    if graphs:
        maps = [_graph_map(source) for source in graphs]
        draw_heat_maps(maps, classes, folder / 'graph.png', order)
        parts.append('![](graph.png)')
    parts += ['## Neighbours', _neighbor_note(k, sources)]
    parts.append(neighbor_table(sources, classes, k))
    (folder / REPORT).write_text('\n\n'.join(parts) + '\n', encoding='utf-8')


def agreement(a: SourceGraph, b: SourceGraph, classes: Sequence[str], k: int) -> str:
    """Rank correlation and common neighbours of two sources, as a table and a list."""
    overlap = common_neighbors(a, b, k)
    others = len(classes) - 1
    correlation = rank_correlation(a.similarity, b.similarity)
    rows = [
        ["Spearman's rank correlation of all similarities", f'{correlation:.3f}'],
        [f'common among the {k} nearest, mean of the labels', f'{overlap.mean():.1%}'],
        ['the same for two unrelated sources', f'{k / others:.1%}'],
        ['labels without a common neighbour', f'{(overlap == 0).sum()}'],
    ]
    text = markdown_table([f'{a.name} and {b.name}', ''], rows)
    order = np.argsort(overlap, kind='stable')[:10]
    names = ', '.join(f'{classes[i]} ({overlap[i]:.0%})' for i in order)
    return f'{text}\n\nThey differ most on: {escape(names)}.'


def common_neighbors(a: SourceGraph, b: SourceGraph, k: int) -> np.ndarray:
    """``(C,)``: share of a label's k nearest that both sources name."""
    return neighbor_overlap(
        nearest_labels(a.similarity, k), nearest_labels(b.similarity, k)
    )


def neighbor_table(
    sources: Sequence[SourceGraph], classes: Sequence[str], k: int
) -> str:
    """The k strongest neighbours of each label, a column a source."""
    nearest = [nearest_labels(source.similarity, k) for source in sources]
    header = ['', 'label', *(source.name for source in sources)]
    align = 'rl' + 'l' * len(sources)
    if len(sources) == 2:
        overlap = common_neighbors(*sources, k)
        header.append('common')
        align += 'r'
    rows = []
    for label, name in enumerate(classes):
        row = [str(label), name]
        for position, source in enumerate(sources):
            other = nearest[1 - position][label] if len(sources) == 2 else []
            row.append(
                ', '.join(
                    _neighbor(source, label, i, classes, i in other)
                    for i in nearest[position][label]
                )
            )
        if len(sources) == 2:
            row.append(f'{round(overlap[label] * k)} of {k}')
        rows.append(row)
    return markdown_table(header, rows, align)


def _neighbor(source: SourceGraph, label: int, i: int, classes, common: bool) -> str:
    text = f'{classes[i]} {source.similarity[label, i]:.2f}'
    if source.kept is not None and not source.kept[label, i]:
        text = f'({text})'
    return f'**{text}**' if common else text


def _graph_map(source: SourceGraph) -> HeatMap:
    values = source.graph.normalized.double().numpy()
    values = np.where(source.kept, values, np.nan)
    return HeatMap(values, source.name, 'weight in the graph (Eq. 4)')


def _describe(
    sources: Sequence[SourceGraph], classes: Sequence[str], settings: Optional[dict]
) -> str:
    rows = []
    for source in sources:
        values = off_diagonal(source.similarity)
        low, middle, high = np.percentile(values, (1, 50, 99))
        symmetric = np.allclose(source.similarity, source.similarity.T, atol=1e-5)
        numbers = [f'{x:.3f}' for x in (values.min(), low, middle, high, values.max())]
        rows.append([source.name, *numbers, 'yes' if symmetric else 'no'])
    header = ['similarity of', 'least', '1%', 'median', '99%', 'most', 'symmetric']
    lines = [f'{len(classes)} labels.']
    if settings is not None:
        shown = ', '.join(f'{key}={value}' for key, value in settings.items())
        lines[0] += f' Graph: {shown}.'
    return '\n\n'.join([*lines, markdown_table(header, rows)])


def _order_note(count: int) -> str:
    of = 'the first source' if count == 2 else 'the source'
    return (
        f'Labels stand in the order of a clustering of {of}; the diagonal is left out, '
        'and the colours span the middle 98% of the similarities.'
    )


def _neighbor_note(k: int, sources: Sequence[SourceGraph]) -> str:
    text = f'The {k} most similar labels of each, with their similarity.'
    if any(source.kept is not None for source in sources):
        text += ' In brackets: left out of the graph by its `topk`.'
    if len(sources) == 2:
        text += ' Bold: among the nearest in both.'
    return text
