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
        normalized: Eq. 4, ``(C, C)``: rows are distributions over a label and its
            kept neighbours.
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


def reweight_graph(similarity: Tensor, kept: Tensor, neighbor_weight: float) -> Tensor:
    """Eq. 3: neighbours share ``s``, the label itself has ``1 - s``.

    Args:
        similarity: ``(C, C)``, Eq. 1.
        kept: ``(C, C)`` bool, Eq. 2.
        neighbor_weight: s, in ``[0, 1]``.

    Returns:
        ``(C, C)``. A row that keeps nothing but itself has only its diagonal.
    """
    itself = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    neighbors = similarity.masked_fill(~kept | itself, 0)
    total = neighbors.sum(dim=1, keepdim=True)
    share = neighbors * (neighbor_weight / total.masked_fill(total == 0, 1))
    return share.masked_fill(itself, 1 - neighbor_weight)


def normalize_graph(reweighted: Tensor, kept: Tensor, temperature: float) -> Tensor:
    """Eq. 4: softmax of each row over its kept entries.

    Args:
        reweighted: ``(C, C)``, Eq. 3.
        kept: ``(C, C)`` bool, the entries the softmax runs over; the diagonal
            always counts as kept.
        temperature: tau' > 0.

    Returns:
        ``(C, C)``, rows sum to 1, exactly 0 where nothing is kept.
    """
    itself = torch.eye(len(reweighted), dtype=torch.bool, device=reweighted.device)
    scores = (reweighted / temperature).masked_fill(~(kept | itself), float('-inf'))
    return scores.softmax(dim=1)


def build_label_graph(
    similarity: Tensor,
    topk: int,
    neighbor_weight: float,
    temperature: float,
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
        temperature: tau' of Eq. 4.
        softmax_over: ``'nonzero'``, the non-zero entries of Eq. 3 (paper), or
            ``'kept'``, all kept entries (released code). They differ only where a
            kept similarity is exactly 0.
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
    if softmax_over not in ('nonzero', 'kept'):
        raise ValueError(
            f"softmax_over must be 'nonzero' or 'kept', found {softmax_over!r}"
        )
    if similarity.dtype != torch.float64:
        similarity = similarity.float()

    kept = topk_mask(similarity, topk)
    if topk > 1:
        _check_neighbors(similarity, kept, names)
    reweighted = reweight_graph(similarity, kept, neighbor_weight)
    support = kept if softmax_over == 'kept' else kept & (reweighted != 0)
    normalized = normalize_graph(reweighted, support, temperature)
    return LabelGraph(reweighted.float(), normalized.float())


def check_graph_settings(
    num_classes: int, topk: int, neighbor_weight: float, temperature: float
) -> None:
    """Refuse settings that no graph of ``num_classes`` labels can have."""
    if not 1 <= topk <= num_classes:
        raise ValueError(
            f'topk counts the label itself and must lie in [1, {num_classes}] for '
            f'{num_classes} labels, found topk={topk}'
        )
    if not 0 <= neighbor_weight <= 1:
        raise ValueError(f'neighbor_weight must lie in [0, 1], found {neighbor_weight}')
    if not temperature > 0:
        raise ValueError(f'temperature must be positive, found {temperature}')


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
    similarity: Tensor, kept: Tensor, names: Optional[Sequence[str]]
) -> None:
    neighbors = similarity.detach().masked_fill(~kept, 0).fill_diagonal_(0)
    # Eq. 3 divides by this sum: without positive weight a row has no neighbour.
    empty = (neighbors.sum(dim=1) <= 0).nonzero().flatten().tolist()
    if empty:
        listed = ', '.join(label_name(i, names) for i in empty[:5])
        more = f' and {len(empty) - 5} more' if len(empty) > 5 else ''
        raise ValueError(
            f'no neighbour of positive similarity is kept for {listed}{more}: their '
            'kept similarities sum to 0 or less. Lower topk so that only similar '
            'labels are kept, or use topk=1 for a graph without neighbours'
        )
