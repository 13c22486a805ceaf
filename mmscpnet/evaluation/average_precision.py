"""Average precision of many classes at once."""

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from .checks import ArrayLike, as_scores_and_targets

AP_MODES = ('non_interpolated', 'voc2012', 'voc2007_11point')
EMPTY_POLICIES = ('zero', 'nan', 'skip')

# Entries that are transposed, and of those sorted, at once: little memory, and the
# latter stay in the cache.
CHUNK_ENTRIES = 1 << 23
CACHE_ENTRIES = 1 << 18


def multilabel_average_precision(
    scores: ArrayLike,
    targets: ArrayLike,
    mode: str = 'non_interpolated',
    empty: str = 'zero',
) -> Tensor:
    r"""Average precision per class, over the entries that are known.

    For the i-th of the P positives of a class, with score s_i, let r_i be the
    number of known entries and k_i of positives with a score of at least s_i, and
    p_i = k_i / r_i the precision there:

    - ``'non_interpolated'``: :math:`\frac1P \sum_i p_i` (the published tables;
      scikit-learn's ``average_precision_score``);
    - ``'voc2012'``: :math:`\frac1P \sum_i \max_{j: s_j \le s_i} p_j`, the area
      under the precision envelope of VOC from 2010 on;
    - ``'voc2007_11point'``: mean over recalls t = 0, .1, ..., 1 of the largest
      precision at a recall k_i / P of at least t.

    Entries of equal score are taken together, as one step of the curve: the result
    does not depend on the order of the samples, and a constant score earns the
    share of the positives.

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
    parts = [
        _average_precisions(scores[:, i : i + width], targets[:, i : i + width], mode)
        for i in range(0, num_classes, width)
    ]
    result, total = (torch.cat(part) for part in zip(*parts))
    if empty == 'nan':
        result[total == 0] = float('nan')
    return result[total > 0] if empty == 'skip' else result


def _average_precisions(
    scores: Tensor, targets: Tensor, mode: str
) -> tuple[Tensor, Tensor]:
    """Some columns, (N, c) -> AP (c,), 0 without positives, and positives (c,)."""
    # one class a row: sorting along contiguous memory is faster
    scores, targets = scores.t().contiguous(), targets.t().contiguous()
    total = _count(targets == 1)
    result = torch.zeros(len(scores), dtype=torch.float64, device=scores.device)
    # Classes with about as many positives together: their rows are filled up little.
    height = max(1, CACHE_ENTRIES // max(1, scores.shape[1]))
    blocks = total.argsort(stable=True).split(height)

    def evaluate(rows: Tensor) -> Tensor:
        return _rows(scores[rows], targets[rows], total[rows], mode)

    # numpy sorts in one thread, and lets others run meanwhile
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for rows, values in zip(blocks, pool.map(evaluate, blocks)):
            result[rows] = values
    return result, total


def _rows(scores: Tensor, targets: Tensor, total: Tensor, mode: str) -> Tensor:
    """AP of some classes, (c, N) -> (c,); changes the scores."""
    num_samples, total = scores.shape[1], total[:, None]
    positives = _rows_of_positives(scores, targets, total)
    if not positives.numel():
        return torch.zeros(len(scores), dtype=torch.float64, device=scores.device)
    known = torch.full_like(total, num_samples)
    if int(targets.min()) == -1:
        # Unknown entries come first and are no one's rank.
        unknown = targets == -1
        scores.masked_fill_(unknown, -torch.inf)
        known -= _count(unknown)[:, None]
    # Only values are sorted, not indices: that is what makes this fast.
    ranks = num_samples - torch.searchsorted(_sort_rows(scores), positives)
    ranks = torch.minimum(ranks, known)
    place = torch.arange(positives.shape[1], device=scores.device)
    valid = place < total
    # the first of equal ones is where their step of the curve ends
    first = (place * (positives != positives.roll(1, dims=1))).cummax(dim=1).values
    hits = total - first
    precision = (hits.double() / ranks.clamp(min=1)) * valid
    if mode == 'voc2007_11point':
        # recall >= tenth / 10 in whole numbers: 0.1 * 3 is above 3 / 10 in floats
        points = (10 * hits >= tenth * total for tenth in range(11))
        return sum((precision * reached).amax(dim=1) for reached in points) / 11
    if mode == 'voc2012':
        # the scores rise: what is behind an entry is at a lower recall
        precision = precision.cummax(dim=1).values * valid
    return precision.sum(dim=1) / total.flatten().clamp(min=1)


def _rows_of_positives(scores: Tensor, targets: Tensor, total: Tensor) -> Tensor:
    """Scores of the positives, a row a class, rising, filled up with infinity."""
    row, _ = index = (targets == 1).nonzero(as_tuple=True)
    first = total.flatten().cumsum(dim=0) - total.flatten()
    column = torch.arange(len(row), device=row.device) - first[row]
    positives = scores.new_full((len(scores), int(total.max())), torch.inf)
    positives[row, column] = scores[index]
    return _sort_rows(positives)


def _sort_rows(values: Tensor) -> Tensor:
    """Sort each row, on a CPU in place: numpy sorts values three times as fast."""
    if values.device.type != 'cpu':
        return values.sort(dim=1).values
    values.numpy().sort(axis=1)
    return values


def _count(flags: Tensor) -> Tensor:
    """Flags that are set in each row; a sum of bool takes five times as long."""
    return flags.view(torch.int8).sum(dim=1, dtype=torch.int32).long()
