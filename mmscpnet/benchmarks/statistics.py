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
        copies = weights[:, order].astype(np.int64)
        at = np.flatnonzero(targets[order, c] == 1)
        hits = copies[:, at]
        positives = hits.sum(axis=1)
        # images down to each positive, of which only theirs are needed
        below = np.maximum(copies.cumsum(axis=1)[:, at], 1)
        ap = (hits * hits.cumsum(axis=1) / below).sum(axis=1)
        has = positives > 0
        total[has] += ap[has] / positives[has]
        counted += has
    return 100 * total / np.maximum(counted, 1)


class Resampled(NamedTuple):
    """mAP of a run on resamples of the test images, the same for all runs.

    Attributes:
        targets: ``(N, C)``, what it was tested on.
        drawn: ``(B,)``, percent.
    """

    targets: np.ndarray
    drawn: np.ndarray


def resampled(
    scores: np.ndarray, targets: np.ndarray, resamples: int = 1000, seed: int = 0
) -> Resampled:
    """Bootstrap a run over its test images.

    Args:
        scores: ``(N, C)``.
        targets: ``(N, C)`` in {1, 0, -1}.
        resamples: number of bootstrap resamples, B.
        seed: of the resampling.
    """
    size = len(scores)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(size, np.full(size, 1 / size), size=resamples)
    return Resampled(targets, bootstrap_map(scores, targets, weights))


def paired_difference(
    method: list[Resampled],
    reference: list[Resampled],
    figures: list[tuple[float, float]],
    level: float = 0.95,
) -> PairedDifference:
    """Compare two methods seed by seed, with a bootstrap over the test images.

    The interval is that of the mean difference over the seeds, by percentiles.

    Args:
        method: its run of each seed.
        reference: the same of the reference; same seeds, same images.
        figures: reported mAP of (method, reference) for each seed.
        level: coverage of the interval.

    Raises:
        ValueError: the runs were not tested on the same images and labels.
    """
    if not len(method) == len(reference) == len(figures) or not figures:
        raise ValueError(
            f'{len(method)} runs of the method, {len(reference)} of the reference and '
            f'{len(figures)} figures: they cannot be paired'
        )
    for ours, theirs in zip(method, reference):
        if not np.array_equal(ours.targets, theirs.targets):
            raise ValueError('the runs were tested on different images or labels')
    drawn = np.mean(
        [ours.drawn - theirs.drawn for ours, theirs in zip(method, reference)], axis=0
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
