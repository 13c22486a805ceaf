"""What two label similarities have in common."""

import numpy as np
from scipy.stats import spearmanr


def off_diagonal(matrix: np.ndarray) -> np.ndarray:
    """``(C, C)`` -> its ``C * (C - 1)`` entries off the diagonal, row by row."""
    return matrix[~np.eye(len(matrix), dtype=bool)]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of two similarities, off the diagonal.

    Args:
        a: ``(C, C)``.
        b: ``(C, C)``.

    Returns:
        In [-1, 1]; NaN where all similarities of one are equal.

    Raises:
        ValueError: different shapes, or fewer than 3 labels.
    """
    if a.shape != b.shape or len(a) < 3:
        raise ValueError(
            f'two similarities of the same labels, at least 3, are compared; found '
            f'shapes {a.shape} and {b.shape}'
        )
    first, second = off_diagonal(a), off_diagonal(b)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float('nan')
    return float(spearmanr(first, second).statistic)


def nearest_labels(similarity: np.ndarray, k: int) -> np.ndarray:
    """The k labels most similar to each, without the label itself.

    Ties go to the lower index, as in the graph.

    Args:
        similarity: ``(C, C)``.
        k: in ``[1, C - 1]``.

    Returns:
        ``(C, k)`` indices, the most similar first.

    Raises:
        ValueError: there are not as many other labels.
    """
    others = len(similarity) - 1
    if not 1 <= k <= others:
        raise ValueError(
            f'each of {others + 1} labels has {others} neighbours, found k={k}'
        )
    scores = np.array(similarity, dtype=float)
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind='stable')[:, :k]


def neighbor_overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many of a label's nearest are nearest in both similarities.

    Args:
        a: ``(C, k)``, of :func:`nearest_labels`.
        b: ``(C, k)``.

    Returns:
        ``(C,)``, as a share of k.
    """
    return (a[:, :, None] == b[:, None, :]).any(axis=2).mean(axis=1)
