"""Two label similarities compared, against slow or hand-made counterparts."""

import math

import numpy as np
import pytest
import torch

from mmscpnet.label_graph import topk_mask
from mmscpnet.label_graph.comparison import (
    nearest_labels,
    neighbor_overlap,
    off_diagonal,
    rank_correlation,
)


def average_ranks(values):
    """Rank of each value, ties sharing their mean rank, by counting."""
    below = [sum(v < x for v in values) for x in values]
    equal = [sum(v == x for v in values) for x in values]
    return np.array([b + (e + 1) / 2 for b, e in zip(below, equal)])


def symmetric(size, seed, digits=9):
    matrix = np.random.default_rng(seed).normal(size=(size, size)).round(digits)
    return np.triu(matrix) + np.triu(matrix, 1).T


@pytest.mark.parametrize('digits', [9, 0])
def test_rank_correlation(digits):
    """Pearson's correlation of the ranks, each pair counted once, with ties."""
    a, b = symmetric(8, 0, digits), symmetric(8, 1, digits)
    upper = np.triu_indices(8, 1)
    ranks = [average_ranks(m[upper].tolist()) for m in (a, b)]
    expected = np.corrcoef(*ranks)[0, 1]
    assert rank_correlation(a, b) == pytest.approx(expected)
    # Neither a monotonic change nor the diagonal counts.
    assert rank_correlation(np.exp(a) + 5 * np.eye(8), b) == pytest.approx(expected)
    assert rank_correlation(a, a) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)


def test_rank_correlation_is_undefined():
    assert math.isnan(rank_correlation(symmetric(4, 0), np.ones((4, 4))))
    with pytest.raises(ValueError, match=r'\(4, 4\) and \(5, 5\)'):
        rank_correlation(symmetric(4, 0), symmetric(5, 0))
    with pytest.raises(ValueError, match='at least 3'):
        rank_correlation(np.eye(2), np.eye(2))


def test_off_diagonal():
    matrix = np.arange(9).reshape(3, 3)
    assert off_diagonal(matrix).tolist() == [1, 2, 3, 5, 6, 7]


def test_nearest_labels():
    similarity = np.array(
        [[1, 0.2, 0.9, 0.2], [0.2, 1, -3, -2], [9, 1, 1, 1], [0, 0, 0, 0.0]]
    )
    # Ties go to the lower index; the label itself is left out, however low it is.
    assert nearest_labels(similarity, 2).tolist() == [[2, 1], [0, 3], [0, 1], [0, 1]]
    assert nearest_labels(similarity, 3).shape == (4, 3)
    for k in (0, 4):
        with pytest.raises(ValueError, match=f'4 labels has 3 neighbours, found k={k}'):
            nearest_labels(similarity, k)


def test_nearest_labels_are_those_of_the_graph():
    similarity = symmetric(20, 2) + 9 * np.eye(20)
    kept = topk_mask(torch.tensor(similarity), 6).numpy()
    for label, nearest in enumerate(nearest_labels(similarity, 5)):
        assert {label, *nearest} == set(np.flatnonzero(kept[label]))


def test_neighbor_overlap():
    a = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3]])
    b = np.array([[3, 2, 1], [2, 4, 5], [4, 5, 6]])
    assert neighbor_overlap(a, b) == pytest.approx([1, 1 / 3, 0])
