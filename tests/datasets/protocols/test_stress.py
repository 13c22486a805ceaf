"""Biased, noisy and at-least-one labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmscpnet.datasets.protocols import keep_ratio, sample_rng
from mmscpnet.datasets.protocols.stress import (
    biased_probabilities,
    flip_labels,
    keep_at_least_one,
)

scores = st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(scores, st.integers(0, 2**31), st.floats(0, 1))
def test_at_least_one_positive_stays(score, seed, ratio):
    score = np.array(score, dtype=np.int8)
    masked = keep_at_least_one(score, sample_rng(seed, 0), ratio)
    plain = keep_ratio(score, sample_rng(seed, 0), ratio)
    assert (masked == 1).any() == (score == 1).any()
    if (plain == 1).any() or not (score == 1).any():
        assert (masked == plain).all()
    else:
        rescued = masked != plain
        assert rescued.sum() == 1 and score[rescued] == 1


def test_the_rescued_positive_is_uniform():
    score = np.array([1, 0, 1, 1, -1], dtype=np.int8)
    kept = [keep_at_least_one(score, sample_rng(0, i), 0.0) == 1 for i in range(3000)]
    assert np.abs(np.mean(kept, axis=0) - [1 / 3, 0, 1 / 3, 1 / 3, 0]).max() < 0.03


@pytest.mark.parametrize('ratio', [0.01, 0.3, 0.9, 0.999])
@pytest.mark.parametrize('power', [0.0, 0.5, 1.0, 3.0])
def test_bias_follows_the_frequency_and_meets_the_ratio(ratio, power):
    positives = np.array([900, 300, 99, 9, 0])
    known = np.array([1000, 1000, 500, 1000, 200])
    likely = biased_probabilities(positives, known, ratio, power)
    assert (likely * known).sum() / known.sum() == pytest.approx(ratio)
    assert (likely > 0).all() and (likely <= 1).all()
    assert (np.diff(likely) <= 0).all()
    # Below the ceiling, the ratios are those of the frequencies.
    free = likely < 1
    weights = (positives[free] + 1.0) ** power
    assert np.allclose(likely[free] / weights, likely[free][-1] / weights[-1])


def test_extremes_of_the_bias():
    positives, known = np.array([5, 1]), np.array([10, 10])
    assert biased_probabilities(positives, known, 1, 2.0).tolist() == [1, 1]
    assert biased_probabilities(positives, known, 0, 2.0).max() < 1e-12


def test_noise_has_its_rates_and_hides_nothing():
    score = np.array([1] * 400 + [0] * 400 + [-1] * 100, dtype=np.int8)
    noisy = np.stack(
        [flip_labels(score, sample_rng(0, i), 0.1, 0.3) for i in range(50)]
    )
    assert abs((noisy[:, :400] == 0).mean() - 0.3) < 0.02
    assert abs((noisy[:, 400:800] == 1).mean() - 0.1) < 0.02
    assert (noisy[:, 800:] == -1).all() and (noisy[:, :800] != -1).all()
    only = flip_labels(score, sample_rng(0, 0), 0.5, 0.0)
    assert (only[:400] == 1).all() and (only[400:800] == 1).any()
