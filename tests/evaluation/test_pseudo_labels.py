"""Counts of right pseudo-labels, against loops."""

import numpy as np
import pytest
import torch

from mmscpnet.evaluation.pseudo_labels import count_selection, selection_figures


def test_against_loops():
    rng = np.random.default_rng(0)
    shape = (30, 7)
    selected = rng.random(shape) < 0.4
    among = rng.random(shape) < 0.8
    truth = rng.choice([-1, 0, 1], shape)
    expected = [0, 0, 0, 0]
    for row in range(30):
        for label in range(7):
            if not among[row, label]:
                continue
            chosen, value = selected[row, label], truth[row, label]
            expected[0] += int(chosen)
            expected[1] += int(chosen and value != -1)
            expected[2] += int(chosen and value == 1)
            expected[3] += int(value == 1)
    arguments = [torch.from_numpy(a) for a in (selected, truth, among)]
    counts = count_selection(*arguments)
    assert counts.tolist() == expected
    halves = [
        count_selection(*(a[s] for a in arguments)) for s in (slice(11), slice(11, 30))
    ]
    assert sum(halves).tolist() == expected
    figures = selection_figures(counts, 30)
    assert figures == pytest.approx(
        dict(
            precision=100 * expected[2] / expected[1],
            recall=100 * expected[2] / expected[3],
            per_image=expected[0] / 30,
        )
    )


def test_nothing_to_judge():
    """No division by nothing: the figure is absent."""
    assert selection_figures(torch.tensor([3, 0, 0, 0]), 2) == dict(per_image=1.5)
    assert selection_figures(torch.tensor([0, 0, 0, 4]), 2) == dict(
        recall=0, per_image=0
    )
