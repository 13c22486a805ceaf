"""Functions that mask one image; the others are in the tests of the transforms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmscpnet.datasets.protocols import keep_likely, keep_share, sample_rng

scores = st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=40)


@pytest.mark.parametrize('seed', [0, 1, 2**31, 2**32 - 1, 2**32, 2**40])
@pytest.mark.parametrize('index', [0, 7, 2**32 - 1, 2**32])
def test_random_numbers_are_those_of_numpy(seed, index):
    """The quick way to make the generator gives the documented numbers."""
    expected = np.random.default_rng((seed, index))
    found = sample_rng(seed, index)
    assert found.random(9).tolist() == expected.random(9).tolist()
    assert found.integers(5, size=9).tolist() == expected.integers(5, size=9).tolist()


def test_masking_keeps_its_random_stream():
    """Results depend on these labels: another draw would be another training set."""
    score = np.array([1, 0, 1, 1, 0, -1, 1, 0], dtype=np.int8)
    for index in range(20):
        rng = np.random.default_rng((3, index))
        expected = np.where(rng.random(8) < 0.4, score, -1)
        found = keep_likely(score, sample_rng(3, index), 0.4)
        assert found.tolist() == expected.tolist() and found.dtype == np.int8


def test_each_class_has_its_probability():
    score = np.array([1, 0, 1, 0], dtype=np.int8)
    likely = np.array([0.0, 1.0, 0.3, 0.8])
    kept = [keep_likely(score, sample_rng(0, i), likely) != -1 for i in range(4000)]
    assert np.abs(np.mean(kept, axis=0) - likely).max() < 0.03


@settings(max_examples=60, deadline=None)
@given(scores, st.integers(0, 2**31), st.floats(0, 1))
def test_every_image_keeps_the_same_share(score, seed, ratio):
    score = np.array(score, dtype=np.int8)
    before = score.copy()
    masked = keep_share(score, sample_rng(seed, 0), ratio)
    known = (score != -1).sum()
    assert (masked != -1).sum() == np.floor(ratio * known + 0.5)
    assert (masked[masked != -1] == score[masked != -1]).all()
    assert (score == before).all()


def test_share_is_drawn_uniformly():
    score = np.array([1, 0, -1, 1, 0, 1], dtype=np.int8)
    kept = [keep_share(score, sample_rng(0, i), 0.4) != -1 for i in range(4000)]
    expected = [0.4, 0.4, 0, 0.4, 0.4, 0.4]
    assert np.abs(np.mean(kept, axis=0) - expected).max() < 0.03
