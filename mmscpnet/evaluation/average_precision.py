"""Average precision of many classes at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
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
    height = max(1, CACHE_ENTRIES // max(1, scores.shape[1]))
    blocks = zip(scores.split(height), targets.split(height))
    # numpy sorts in one thread, and lets others run meanwhile
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        parts = list(pool.map(lambda block: _rows(*block, mode), blocks))
    result, total = (torch.cat(part) for part in zip(*parts))
    return result, total


def _keys(scores: Tensor, targets: Tensor) -> Tensor:
    """Whole numbers that rise with the score; the lowest bit is set for positives.

    So sorting the values alone, which is several times as fast as sorting indices,
    brings the targets along. Unknown entries get the smallest number there is.
    """
    if scores.dtype == torch.float64:
        order = torch.unique(scores, return_inverse=True)[1]
    else:
        # Adding zero leaves no -0. The bits of other floats from 0 on rise with them.
        order = (scores + 0.0).view(torch.int32)
        low, high = order.aminmax()
        if low < 0 or high >= 1 << 30:
            # negative scores, or some of 2 and more: not probabilities
            order = torch.where(order < 0, order ^ 0x7FFFFFFF, order).long()
    keys = (order << 1).bitwise_or_((targets == 1).view(torch.int8))
    if targets.amin() == -1:
        keys.masked_fill_(targets == -1, torch.iinfo(keys.dtype).min)
    return keys


def _rows(scores: Tensor, targets: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """Some classes, twice (c, N) -> AP (c,) and positives (c,)."""
    num_classes, num_samples = scores.shape
    if not (targets == 1).any():
        none = torch.zeros(num_classes, dtype=torch.float64, device=scores.device)
        return none, none.long()
    keys = _sort_rows(_keys(scores, targets))
    row, place = _nonzero(keys & 1)
    total = torch.bincount(row, minlength=num_classes)
    column = torch.arange(len(row), device=row.device)
    column -= (total.cumsum(dim=0) - total)[row]
    # of the positives, rising, a row a class; filled up with what comes last
    found = keys.new_full((num_classes, int(total.max())), torch.iinfo(keys.dtype).max)
    found[row, column] = keys[row, place]
    # Entries at least as high: those from the first one of the same score on, whose
    # key may lack the bit of the positives.
    ranks = num_samples - torch.searchsorted(keys, found & -2)

    column = torch.arange(found.shape[1], device=keys.device)
    total = total[:, None]
    valid = column < total
    # the first of equal ones is where their step of the curve ends
    first = (column * (ranks != ranks.roll(1, dims=1))).cummax(dim=1).values
    hits = total - first
    precision = (hits.double() / ranks.clamp(min=1)) * valid
    total = total.flatten()
    if mode == 'voc2007_11point':
        # recall >= tenth / 10 in whole numbers: 0.1 * 3 is above 3 / 10 in floats
        points = (10 * hits >= tenth * total[:, None] for tenth in range(11))
        result = sum((precision * reached).amax(dim=1) for reached in points) / 11
        return result, total
    if mode == 'voc2012':
        # the scores rise: what is behind an entry is at a lower recall
        precision = precision.cummax(dim=1).values * valid
    return precision.sum(dim=1) / total.clamp(min=1), total


def _sort_rows(values: Tensor) -> Tensor:
    """Sort each row, on a CPU in place: numpy sorts values three times as fast."""
    if values.device.type != 'cpu':
        return values.sort(dim=1).values
    values.numpy().sort(axis=1)
    return values


def _nonzero(flags: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of what is not zero; numpy finds it in half the time."""
    if flags.device.type != 'cpu':
        return flags.nonzero(as_tuple=True)
    flat = torch.from_numpy(np.flatnonzero(flags.numpy()))
    row = flat.div(flags.shape[1], rounding_mode='floor')
    return row, flat - row * flags.shape[1]
