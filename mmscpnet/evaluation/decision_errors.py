"""Where decisions go wrong: pairs of classes, and single photos."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix


class ConfusedPair(NamedTuple):
    """Two classes of which one is missed where the other is given falsely.

    Attributes:
        missed: index of the class that is there.
        given: index of the class that was decided in its place.
        count: images on which both happened.
        share: of the known positives of ``missed``.
    """

    missed: int
    given: int
    count: int
    share: float


def confused_pairs(
    decisions: np.ndarray, targets: np.ndarray, most: int = 25
) -> list[ConfusedPair]:
    """The pairs that are confused on the most images.

    Args:
        decisions: ``(N, C)`` bool.
        targets: ``(N, C)`` in {1, 0, -1}; unknown entries are no error.
        most: how many pairs at most.

    Returns:
        list[ConfusedPair]: highest count first, then the largest share.
    """
    missed = csr_matrix((targets == 1) & ~decisions, dtype=np.int64)
    given = csr_matrix((targets == 0) & decisions, dtype=np.int64)
    both = (missed.T @ given).tocoo()
    share = both.data / np.maximum(1, (targets == 1).sum(0))[both.row]
    order = np.lexsort((both.col, both.row, -share, -both.data))[:most]
    return [
        ConfusedPair(
            int(both.row[i]), int(both.col[i]), int(both.data[i]), float(share[i])
        )
        for i in order
    ]


def worst_entries(
    probabilities: np.ndarray, decisions: np.ndarray, targets: np.ndarray, most: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The false decisions that were surest, each of another photo.

    Args:
        probabilities: ``(N, C)``, by which errors of different classes are compared.
        decisions: ``(N, C)`` bool.
        targets: ``(N, C)`` in {1, 0, -1}.
        most: how many of each kind.

    Returns:
        Image and class of false positives, highest probability first, and of false
        negatives, lowest first.
    """

    def first(wrong: np.ndarray, key: np.ndarray) -> list[tuple[int, int]]:
        images, classes = np.nonzero(wrong)
        order = np.argsort(key[images, classes], kind='stable')
        _, starts = np.unique(images[order], return_index=True)
        kept = order[np.sort(starts)[:most]]
        return list(zip(images[kept].tolist(), classes[kept].tolist()))

    return (
        first(decisions & (targets == 0), -probabilities),
        first(~decisions & (targets == 1), probabilities),
    )
