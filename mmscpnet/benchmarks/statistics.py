"""How sure is a difference of mAP?"""

from typing import NamedTuple

import numpy as np


class PairedDifference(NamedTuple):
    """A method against a reference, on the same seeds and images.

    Attributes:
        per_seed: difference of the mAP for each seed, in percentage points.
        mean: of ``per_seed``.
        std: sample standard deviation of ``per_seed``; nan for one seed.
        low: lower end of the bootstrap interval of the mean.
        high: its upper end.
    """

    per_seed: list[float]
    mean: float
    std: float
    low: float
    high: float


def bootstrap_map(
    scores: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """mAP (percent) when image i is drawn ``weights[b, i]`` times.

    Copies of an image have the same score and share the precision behind the last of
    them. Unknown labels are left out; a class without a positive in a resample is left
    out of its mean, since it says nothing about the method.

    Args:
        scores: ``(N, C)``.
        targets: ``(N, C)`` in {1, 0, -1}.
        weights: ``(B, N)``, number of copies.

    Returns:
        ``(B,)``.
    """
    total = np.zeros(len(weights))
    counted = np.zeros(len(weights))
    for c in range(scores.shape[1]):
        known = np.flatnonzero(targets[:, c] != -1)
        order = known[np.argsort(-scores[known, c], kind='stable')]
        copies = weights[:, order].astype(np.float64)
        hits = copies * (targets[order, c] == 1)
        positives = hits.sum(axis=1)
        below = np.maximum(copies.cumsum(axis=1), 1)
        ap = (hits * hits.cumsum(axis=1) / below).sum(axis=1)
        has = positives > 0
        total[has] += ap[has] / positives[has]
        counted += has
    return 100 * total / np.maximum(counted, 1)


def paired_difference(
    method: list[tuple[np.ndarray, np.ndarray]],
    reference: list[tuple[np.ndarray, np.ndarray]],
    figures: list[tuple[float, float]],
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """Compare two methods seed by seed, with a bootstrap over the test images.

    All runs are resampled with the same images; the interval is that of the mean
    difference over the seeds, by percentiles.

    Args:
        method: ``(scores, targets)`` of each seed, see :func:`bootstrap_map`.
        reference: the same of the reference; same seeds, same images.
        figures: reported mAP of (method, reference) for each seed.
        resamples: number of bootstrap resamples.
        level: coverage of the interval.
        seed: of the resampling.

    Raises:
        ValueError: the runs were not tested on the same images and labels.
    """
    if not len(method) == len(reference) == len(figures) or not figures:
        raise ValueError(
            f'{len(method)} runs of the method, {len(reference)} of the reference and '
            f'{len(figures)} figures: they cannot be paired'
        )
    num_images = len(method[0][0])
    for (_, targets), (_, other) in zip(method, reference):
        if targets.shape != other.shape or not np.array_equal(targets, other):
            raise ValueError('the runs were tested on different images or labels')
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(
        num_images, np.full(num_images, 1 / num_images), size=resamples
    )
    drawn = np.mean(
        [
            bootstrap_map(*ours, weights) - bootstrap_map(*theirs, weights)
            for ours, theirs in zip(method, reference)
        ],
        axis=0,
    )
    per_seed = [ours - theirs for ours, theirs in figures]
    tail = 50 * (1 - level)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return PairedDifference(
        per_seed=per_seed,
        mean=float(np.mean(per_seed)),
        std=float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else float('nan'),
        low=float(low),
        high=float(high),
    )
