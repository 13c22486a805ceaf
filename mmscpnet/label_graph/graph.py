"""Eq. 1-4 of SCPNet as pure functions: label features -> label graph.

Ding et al., "Exploring Structured Semantic Prior for Multi Label Recognition
with Incomplete Labels", CVPR 2023, section 3.1. Every function is differentiable
with respect to its float input, so that a graph can also be built from features
that are being learnt.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor


class LabelGraph(NamedTuple):
    """The two matrices that SCPNet derives from label similarities.

    Attributes:
        reweighted: Eq. 3, ``(C, C)``: diagonal ``1 - s``, the kept neighbours of a
            row sum to ``s``.
        normalized: Eq. 4, ``(C, C)``, or what stands in for it without temperature:
            rows are distributions over a label and its kept neighbours.
    """

    reweighted: Tensor
    normalized: Tensor


def cosine_similarity(features: Tensor) -> Tensor:
    """Eq. 1: cosine of every pair of label features.

    Args:
        features: ``(C, D)``.

    Returns:
        ``(C, C)``, in the dtype of ``features``.
    """
    unit = F.normalize(features, dim=-1)
    return unit @ unit.t()


def topk_mask(similarity: Tensor, topk: int) -> Tensor:
    """Eq. 2: which entries a row keeps, its ``topk`` largest, itself included.

    Ties are broken by the lower column, so that a graph does not depend on the
    device it was built on.

    Args:
        similarity: ``(C, C)``.
        topk: K, in ``[1, C]``.

    Returns:
        ``(C, C)`` bool.
    """
    order = similarity.detach().argsort(dim=1, descending=True, stable=True)
    mask = torch.zeros_like(similarity, dtype=torch.bool)
    return mask.scatter_(1, order[:, :topk], True)


def graph_product(matrix: Tensor, features: Tensor) -> Tensor:
    """A matrix of a label graph, dense or sparse, times ``(C, D)``.

    The product of a sparse matrix runs in the dtype of the matrix, as half precision
    lacks it; its gradient flows to ``features`` only.
    """
    if not matrix.is_sparse:
        return matrix.to(features.dtype) @ features
    with torch.autocast(features.device.type, enabled=False):
        return torch.sparse.mm(matrix, features.to(matrix.dtype)).to(features.dtype)


def reweight_graph(
    similarity: Tensor, kept: Tensor, neighbor_weight: float, first_row: int = 0
) -> Tensor:
    """Eq. 3: neighbours share ``s``, the label itself has ``1 - s``.

    Args:
        similarity: ``(C, C)``, Eq. 1.
        kept: ``(C, C)`` bool, Eq. 2.
        neighbor_weight: s, in ``[0, 1]``.
        first_row: where the rows begin, if these are some of all C.

    Returns:
        ``(C, C)``. A row that keeps nothing but itself has only its diagonal.
    """
    itself = _diagonal(similarity, first_row)
    neighbors = similarity.masked_fill(~kept | itself, 0)
    total = neighbors.sum(dim=1, keepdim=True)
    share = neighbors * (neighbor_weight / total.masked_fill(total == 0, 1))
    return share.masked_fill(itself, 1 - neighbor_weight)


def normalize_graph(
    reweighted: Tensor,
    kept: Tensor,
    temperature: Optional[float],
    first_row: int = 0,
) -> Tensor:
    """Eq. 4: softmax of each row over its kept entries.

    The weights of two neighbours then differ by a factor of at most ``e^(s / tau')``,
    2.7 for equal s and tau', and by far less where there are many. Without
    temperature they stay in proportion to the similarities.

    Args:
        reweighted: ``(C, C)``, Eq. 3.
        kept: ``(C, C)`` bool, the entries the softmax runs over; the diagonal
            always counts as kept.
        temperature: tau' > 0, or None for Eq. 3 itself.
        first_row: where the rows begin, if these are some of all C.

    Returns:
        ``(C, C)``, rows sum to 1, exactly 0 where nothing is kept.
    """
    if temperature is None:
        return reweighted / reweighted.sum(dim=1, keepdim=True)
    itself = _diagonal(reweighted, first_row)
    scores = (reweighted / temperature).masked_fill(~(kept | itself), float('-inf'))
    return scores.softmax(dim=1)


def build_label_graph(
    similarity: Tensor,
    topk: int,
    neighbor_weight: float,
    temperature: Optional[float],
    *,
    softmax_over: str = 'nonzero',
    names: Optional[Sequence[str]] = None,
) -> LabelGraph:
    """Eq. 2-4: label similarities -> re-weighted and normalised label graph.

    Args:
        similarity: ``(C, C)``, Eq. 1. Computed on in float32, or float64 if given.
        topk: K, how many entries a row keeps, the label itself included. ``K = 1``
            keeps no neighbour on purpose: Eq. 4 is then the identity.
        neighbor_weight: s of Eq. 3, in ``[0, 1]``.
        temperature: tau' of Eq. 4; None keeps the weights of Eq. 3, see
            :func:`normalize_graph`, and takes a negative similarity for none.
        softmax_over: ``'nonzero'``, the non-zero entries of Eq. 3 (paper), or
            ``'kept'``, all kept entries (released code). They differ only where a
            kept similarity is exactly 0, and not at all without temperature.
        names: label names, for the messages.

    Returns:
        Two ``(C, C)`` float32 matrices.

    Raises:
        ValueError: a matrix that is not square or not finite, K outside
            ``[1, C]``, s outside ``[0, 1]``, tau' not positive, or a label whose
            kept neighbours do not sum to a positive weight; the label is named.
    """
    check_similarity(similarity, names)
    check_graph_settings(len(similarity), topk, neighbor_weight, temperature)
    return _graph_rows(
        similarity, 0, topk, neighbor_weight, temperature, softmax_over, names
    )


def build_sparse_label_graph(
    similarity: Tensor,
    topk: int,
    neighbor_weight: float,
    temperature: Optional[float],
    *,
    softmax_over: str = 'nonzero',
    names: Optional[Sequence[str]] = None,
    block_rows: int = 512,
) -> tuple[Tensor, LabelGraph]:
    """What :func:`build_label_graph` makes, as entries, in memory of ``C K``.

    Args:
        similarity, topk, neighbor_weight, temperature, softmax_over, names: as there.
        block_rows: rows that are computed at once.

    Returns:
        ``(2, E)`` indices, sorted by row, then column, of the entries where one of
        the two matrices is not 0, and the values of both there, ``(E,)`` each.

    Raises:
        ValueError: as there.
    """
    check_similarity(similarity, names)
    check_graph_settings(len(similarity), topk, neighbor_weight, temperature)
    settings = (topk, neighbor_weight, temperature, softmax_over, names)
    indices, values = [], []
    for first in range(0, len(similarity), block_rows):
        rows = _graph_rows(similarity[first : first + block_rows], first, *settings)
        entries = (rows.reweighted != 0) | (rows.normalized != 0)
        index = entries.nonzero().t()
        index[0] += first
        indices.append(index)
        values.append([matrix[entries] for matrix in rows])
    return torch.cat(indices, dim=1), LabelGraph(*map(torch.cat, zip(*values)))


def _graph_rows(
    similarity: Tensor,
    first_row: int,
    topk: int,
    neighbor_weight: float,
    temperature: Optional[float],
    softmax_over: str,
    names: Optional[Sequence[str]],
) -> LabelGraph:
    """Rows of both matrices from these rows of the similarity."""
    if softmax_over not in ('nonzero', 'kept'):
        raise ValueError(
            f"softmax_over must be 'nonzero' or 'kept', found {softmax_over!r}"
        )
    if similarity.dtype != torch.float64:
        similarity = similarity.float()
    if temperature is None:
        similarity = similarity.clamp(min=0)

    kept = topk_mask(similarity, topk)
    if topk > 1:
        _check_neighbors(similarity, kept, names, first_row)
    reweighted = reweight_graph(similarity, kept, neighbor_weight, first_row)
    support = kept if softmax_over == 'kept' else kept & (reweighted != 0)
    normalized = normalize_graph(reweighted, support, temperature, first_row)
    return LabelGraph(reweighted.float(), normalized.float())


def _diagonal(rows: Tensor, first_row: int) -> Tensor:
    """Where a label meets itself, bool like ``rows``."""
    column = torch.arange(rows.size(1), device=rows.device)
    return column[first_row : first_row + len(rows), None] == column


def check_graph_settings(
    num_classes: int, topk: int, neighbor_weight: float, temperature: Optional[float]
) -> None:
    """Refuse settings that no graph of ``num_classes`` labels can have."""
    if not 1 <= topk <= num_classes:
        raise ValueError(
            f'label_graph.topk counts the label itself and must lie in '
            f'[1, {num_classes}] for {num_classes} labels, found topk={topk}. Set '
            f'model.head.label_graph.topk={min(num_classes, 5)}, for example'
        )
    if not 0 <= neighbor_weight <= 1:
        raise ValueError(f'neighbor_weight must lie in [0, 1], found {neighbor_weight}')
    if temperature is None:
        if topk == 1 and neighbor_weight == 1:
            raise ValueError(
                'topk=1 and neighbor_weight=1 leave a label no weight, without '
                'temperature. Set neighbor_weight=0'
            )
    elif not temperature > 0:
        raise ValueError(f'temperature must be positive or None, found {temperature}')


def check_similarity(similarity: Tensor, names: Optional[Sequence[str]] = None) -> None:
    """Refuse a similarity matrix that is not square or not finite."""
    if similarity.dim() != 2 or len(similarity) != similarity.size(-1):
        raise ValueError(
            'a label similarity is a square (C, C) matrix, found shape '
            f'{tuple(similarity.shape)}'
        )
    if names is not None and len(names) != len(similarity):
        raise ValueError(
            f'the label similarity has {len(similarity)} rows, but there are '
            f'{len(names)} class names'
        )
    bad = ~similarity.detach().isfinite()
    if bad.any():
        row, column = bad.nonzero()[0].tolist()
        raise ValueError(
            f'the similarity of {label_name(row, names)} and '
            f'{label_name(column, names)} is {similarity[row, column].item()}; '
            f'{int(bad.sum())} of {bad.numel()} entries are not finite'
        )


def label_name(index: int, names: Optional[Sequence[str]] = None) -> str:
    """``label 3 ('cat')`` if names are known, else ``label 3``."""
    return f'label {index}' + (f' ({names[index]!r})' if names is not None else '')


def _check_neighbors(
    similarity: Tensor, kept: Tensor, names: Optional[Sequence[str]], first_row: int
) -> None:
    itself = _diagonal(similarity, first_row)
    neighbors = similarity.detach().masked_fill(~kept | itself, 0)
    # Eq. 3 divides by this sum: without positive weight a row has no neighbour.
    empty = (neighbors.sum(dim=1) <= 0).nonzero().flatten() + first_row
    if len(empty):
        listed = ', '.join(label_name(i, names) for i in empty[:5].tolist())
        more = f' and {len(empty) - 5} more' if len(empty) > 5 else ''
        raise ValueError(
            f'no neighbour of positive similarity is kept for {listed}{more}: their '
            'kept similarities sum to 0 or less. Lower topk so that only similar '
            'labels are kept (negative ones are none with temperature=None), or use '
            'topk=1 for a graph without neighbours'
        )
