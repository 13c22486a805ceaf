"""Variants that real annotation shows and the usual protocols do not."""

import numpy as np

from .masking import keep_ratio


def keep_at_least_one(
    score: np.ndarray, rng: np.random.Generator, ratio: float
) -> np.ndarray:
    """:func:`keep_ratio`, but an image with positives keeps one of them at least.

    Where all its positives would be hidden, one of them, drawn uniformly, stays.
    """
    masked = keep_ratio(score, rng, ratio)
    if not (masked == 1).any():
        positives = (score == 1).nonzero()[0]
        if len(positives):
            masked[positives[rng.integers(len(positives))]] = 1
    return masked


def biased_probabilities(
    positives: np.ndarray, known: np.ndarray, ratio: float, power: float
) -> np.ndarray:
    """How likely the labels of each class stay known if frequent ones do so more often.

    The probability of class c is ``min(1, s * (n_c + 1) ** power)`` with its positives
    n_c; s is such that ``ratio`` of all known labels stay in expectation. The one that
    is added keeps classes without positives in reach.

    Args:
        positives: ``(C,)`` known positives of each class.
        known: ``(C,)`` known labels of each class.
        ratio: share of the known labels that stay, in [0, 1].
        power: 0 treats all classes alike, 1 follows the frequency.

    Returns:
        ``(C,)`` float64 in [0, 1].
    """
    if ratio == 1:
        return np.ones(len(positives))
    weights = ((positives + 1) / (positives.max() + 1)) ** power
    known = known / max(known.sum(), 1)
    # The share that stays grows with s: halve the interval until floats end.
    low, high = 0.0, 1 / weights.min()
    for _ in range(200):
        middle = (low + high) / 2
        if (known * np.minimum(1, middle * weights)).sum() < ratio:
            low = middle
        else:
            high = middle
    return np.minimum(1, high * weights)


def flip_labels(
    score: np.ndarray,
    rng: np.random.Generator,
    wrong_positives: float,
    wrong_negatives: float,
) -> np.ndarray:
    """Make known labels wrong. Nothing is hidden, and what is unknown stays so.

    Args:
        score: ``(C,)``.
        rng: C numbers are drawn, one a label.
        wrong_positives: share of the negatives that become positive.
        wrong_negatives: share of the positives that become negative.
    """
    draws = rng.random(len(score))
    masked = score.copy()
    masked[(score == 0) & (draws < wrong_positives)] = 1
    masked[(score == 1) & (draws < wrong_negatives)] = 0
    return masked
