"""Precision, recall and F1 of decisions, per class and overall."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .checks import row_blocks


class CountTriple(NamedTuple):
    """Counts per class over known entries, each (C,) int64.

    Attributes:
        correct (Tensor): Positive decisions on known positives.
        predicted (Tensor): Positive decisions.
        positive (Tensor): Known positives.
    """

    correct: Tensor
    predicted: Tensor
    positive: Tensor


def threshold_decisions(scores: Tensor, thr: float) -> Tensor:
    """Positive where the score is at least the threshold.

    Args:
        scores (Tensor): (N, C).
        thr (float): The threshold, in units of the score.

    Returns:
        Tensor: (N, C) bool.
    """
    return scores >= thr


def topk_decisions(scores: Tensor, topk: int) -> Tensor:
    """Positive for the ``topk`` highest scores of each sample.

    Of equal scores the class with the lower index comes first. With fewer than
    ``topk`` classes all are positive.

    Args:
        scores (Tensor): (N, C).
        topk (int): How many per sample.

    Returns:
        Tensor: (N, C) bool.
    """
    if topk >= scores.shape[1]:
        return torch.ones_like(scores, dtype=torch.bool)
    lowest = scores.topk(topk, dim=1).values[:, -1:]
    chosen = scores >= lowest
    # Where more classes share the lowest score than there is room for, the first
    # of them are taken.
    (crowded,) = (chosen.sum(dim=1) > topk).nonzero(as_tuple=True)
    above, equal = scores[crowded] > lowest[crowded], scores[crowded] == lowest[crowded]
    room = topk - above.sum(dim=1, keepdim=True)
    chosen[crowded] = above | (equal & (equal.cumsum(dim=1) <= room))
    return chosen


def count_decisions(decisions: Tensor, targets: Tensor) -> CountTriple:
    """Count decisions against three-state targets; unknown entries not at all.

    Args:
        decisions (Tensor): (N, C) bool.
        targets (Tensor): (N, C) in {1, 0, -1}.

    Returns:
        CountTriple: The counts.
    """
    positive = targets == 1
    flags = decisions & positive, decisions & (targets != -1), positive
    # a sum of bool, or to int64, takes eight times as long
    return CountTriple(
        *(f.view(torch.int8).sum(dim=0, dtype=torch.int32).long() for f in flags)
    )


def count_in_blocks(
    scores: Tensor, targets: Tensor, decide: Callable[[Tensor], Tensor]
) -> CountTriple:
    """:func:`count_decisions`, in the memory of a block of rows.

    Args:
        scores (Tensor): (N, C).
        targets (Tensor): (N, C) in {1, 0, -1}.
        decide (Callable): Scores (n, C) -> decisions (n, C) bool.

    Returns:
        CountTriple: The counts.
    """
    sums = torch.zeros(3, scores.shape[1], dtype=torch.int64, device=scores.device)
    for _, (block, states) in row_blocks(scores, targets):
        sums += torch.stack(count_decisions(decide(block), states))
    return CountTriple(*sums)


def precision_recall_f1(counts: CountTriple) -> dict[str, float]:
    r"""Averages over classes (C) and over all decisions (O), as fractions.

    With :math:`n^c_i` correct, :math:`n^p_i` predicted and :math:`n^g_i`
    positive of class i: CP is the mean of :math:`n^c_i / n^p_i`, CR of
    :math:`n^c_i / n^g_i`, OP and OR are the same ratios of the sums. A ratio
    whose denominator is 0 is 0. Literature has two F1 over classes: ``CF1`` is
    the harmonic mean of CP and CR, ``CF1_mean`` the mean of the F1 per class.

    Args:
        counts (CountTriple): The counts.

    Returns:
        dict[str, float]: CP, CR, CF1, CF1_mean, OP, OR, OF1 in [0, 1].
    """
    correct, predicted, positive = (c.double() for c in counts)
    class_p, class_r = _ratio(correct, predicted), _ratio(correct, positive)
    cp, cr = class_p.mean(), class_r.mean()
    op = _ratio(correct.sum(), predicted.sum())
    overall_r = _ratio(correct.sum(), positive.sum())
    values = dict(
        CP=cp,
        CR=cr,
        CF1=_harmonic(cp, cr),
        CF1_mean=_harmonic(class_p, class_r).mean(),
        OP=op,
        OR=overall_r,
        OF1=_harmonic(op, overall_r),
    )
    return {name: float(value) for name, value in values.items()}


def per_class_precision_recall_f1(counts: CountTriple) -> dict[str, Tensor]:
    """Precision, recall and F1 of each class, (C,) float64 fractions each.

    Args:
        counts (CountTriple): The counts.

    Returns:
        dict[str, Tensor]: ``precision``, ``recall`` and ``f1``; 0 where the
        denominator is 0.
    """
    correct, predicted, positive = (c.double() for c in counts)
    precision, recall = _ratio(correct, predicted), _ratio(correct, positive)
    return dict(precision=precision, recall=recall, f1=_harmonic(precision, recall))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    # counts are whole numbers, and the numerator is 0 where the denominator is
    return numerator / denominator.clamp(min=1)


def _harmonic(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a + b > 0, 2 * a * b / (a + b), torch.zeros_like(a))
