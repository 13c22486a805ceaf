"""Average precision of many classes at once."""

import torch
from torch import Tensor

from .checks import ArrayLike, as_scores_and_targets

AP_MODES = ('non_interpolated', 'voc2012', 'voc2007_11point')
EMPTY_POLICIES = ('zero', 'nan', 'skip')

# Entries that are sorted at once; bounds the extra memory to some 0.5 GB.
CHUNK_ENTRIES = 1 << 23


def multilabel_average_precision(
    scores: ArrayLike,
    targets: ArrayLike,
    mode: str = 'non_interpolated',
    empty: str = 'zero',
) -> Tensor:
    r"""Average precision per class, over the entries that are known.

    With the known entries of a class ranked by falling score, r_k the rank of
    its k-th positive, P positives and p_k = k / r_k the precision there:

    - ``'non_interpolated'``: :math:`\frac1P \sum_k p_k` (the published tables);
    - ``'voc2012'``: :math:`\frac1P \sum_k \max_{j \ge k} p_j`, the area under
      the precision envelope of VOC from 2010 on;
    - ``'voc2007_11point'``: mean over recalls t = 0, .1, ..., 1 of the largest
      precision at a recall of at least t.

    Equal scores keep the order of the samples: of two, the one that comes first
    in ``scores`` ranks first. The result is thus deterministic, but a constant
    score earns what the order of the samples happens to give.

    Args:
        scores (Tensor | ndarray): (N, C); compared in float32 or better.
        targets (Tensor | ndarray): (N, C) in {1, 0, -1}; -1 takes the entry out.
        mode (str): See above.
        empty (str): What a class without known positives gives: ``'zero'``,
            ``'nan'``, or ``'skip'``, which leaves it out of the result.

    Returns:
        Tensor: (C,) float64 in [0, 1], fewer entries with ``empty='skip'``.

    Raises:
        ValueError: See :func:`~mmscpnet.evaluation.checks.as_scores_and_targets`;
            also if ``mode`` or ``empty`` is unknown.
    """
    if mode not in AP_MODES:
        raise ValueError(f'mode must be one of {AP_MODES}, found {mode!r}')
    if empty not in EMPTY_POLICIES:
        raise ValueError(f'empty must be one of {EMPTY_POLICIES}, found {empty!r}')
    scores, targets = as_scores_and_targets(scores, targets)
    num_samples, num_classes = scores.shape
    width = max(1, CHUNK_ENTRIES // max(1, num_samples))
    result = torch.cat(
        [
            _average_precision(
                scores[:, i : i + width], targets[:, i : i + width], mode
            )
            for i in range(0, num_classes, width)
        ]
    )
    without = (targets == 1).sum(dim=0) == 0
    if empty == 'nan':
        result[without] = float('nan')
    return result[~without] if empty == 'skip' else result


def _average_precision(scores: Tensor, targets: Tensor, mode: str) -> Tensor:
    """AP of some columns, (N, c) -> (c,); 0 for columns without positives."""
    # one class a row: sorting and summing along contiguous memory is faster
    scores, targets = scores.t().contiguous(), targets.t().contiguous()
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices
    ranked = targets.gather(1, order)
    positive = ranked == 1
    hits = positive.cumsum(dim=1)
    # Unknown entries do not count as ranks, so it does not matter where they are.
    ranks = (ranked != -1).cumsum(dim=1)
    precision = hits.double() / ranks.clamp(min=1)
    precision = precision * positive
    total = positive.sum(dim=1, keepdim=True)
    if mode == 'non_interpolated':
        return (precision.sum(dim=1, keepdim=True) / total.clamp(min=1)).flatten()
    # The largest precision at this recall or beyond is reached at a positive.
    if mode == 'voc2012':
        envelope = precision.flip(1).cummax(dim=1).values.flip(1) * positive
        return (envelope.sum(dim=1, keepdim=True) / total.clamp(min=1)).flatten()
    points = torch.zeros(len(scores), dtype=torch.float64, device=scores.device)
    if scores.shape[1] == 0:
        return points
    for tenth in range(11):
        # recall >= tenth / 10 in whole numbers: 0.1 * 3 is above 3 / 10 in floats
        reached = 10 * hits >= tenth * total
        points += (precision * reached).max(dim=1).values
    return points / 11
