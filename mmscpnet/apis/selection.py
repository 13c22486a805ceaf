"""Which unknown labels to propose, and which known ones to doubt: pure functions."""

from typing import Optional

import numpy as np


def meet_precision(
    confidence: np.ndarray, unknown: np.ndarray, target: float
) -> np.ndarray:
    """For each class the most unknown entries of an expected precision.

    With calibrated probabilities, the expected precision of a set of entries is their
    mean. Entries are taken from the highest probability on, for as long as the mean is
    at least the target; entries of equal probability are taken together.

    Args:
        confidence: ``(N, C)`` calibrated probabilities.
        unknown: ``(N, C)`` bool, the entries to choose from.
        target: precision, in (0, 1].

    Returns:
        ``(N, C)`` bool.
    """
    if not 0 < target <= 1:
        raise ValueError(f'a precision from above 0 to 1 is wanted, found {target!r}')
    chosen = np.zeros(confidence.shape, dtype=bool)
    for c in range(confidence.shape[1]):
        rows = np.flatnonzero(unknown[:, c])
        values = confidence[rows, c].astype(np.float64)
        ordered = -np.sort(-values)
        means = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
        last = np.append(np.diff(ordered) != 0, True)[: len(ordered)]
        # With rounding: the mean of ten times 0.9 is 0.9.
        meets = np.flatnonzero(last & (means >= target - 1e-9))
        if len(meets):
            chosen[rows, c] = values >= ordered[meets[-1]]
    return chosen


def limit_per_image(
    chosen: np.ndarray, ranking: np.ndarray, limit: Optional[int]
) -> np.ndarray:
    """Keep the highest ranked entries of each image.

    Args:
        chosen: ``(N, C)`` bool.
        ranking: ``(N, C)``, high is good; of equal ones the first classes are kept.
        limit: entries of an image, at least 1; None for any number.
    """
    if limit is None:
        return chosen
    if limit < 1:
        raise ValueError(f'at least 1 label an image is wanted, found {limit!r}')
    order = np.argsort(-np.where(chosen, ranking, -np.inf), axis=1, kind='stable')
    kept = np.zeros_like(chosen)
    np.put_along_axis(kept, order[:, :limit], True, axis=1)
    return kept & chosen


def doubtful(confidence: np.ndarray, states: np.ndarray, doubt: float) -> np.ndarray:
    """Known labels that the model contradicts.

    Args:
        confidence: ``(N, C)`` probabilities; NaN is not doubted.
        states: ``(N, C)`` in {1, 0, -1}.
        doubt: how probable the contrary must be, in (0.5, 1].

    Returns:
        ``(N, C)`` bool.
    """
    if not 0.5 < doubt <= 1:
        raise ValueError(f'a doubt from above 0.5 to 1 is wanted, found {doubt!r}')
    absent = (states == 1) & (1 - confidence >= doubt)
    return absent | ((states == 0) & (confidence >= doubt))
