"""A key decides all random numbers, and nothing else does."""

import random

import numpy as np
import torch

from mmscpnet.utils.random_keys import seed_by_key


def draw(*key):
    seed_by_key(*key)
    return random.random(), np.random.random(), torch.rand(()).item()


def test_the_key_decides():
    first = draw(0, 3, 7)
    random.random(), np.random.random(5), torch.rand(9)
    assert draw(0, 3, 7) == first
    keys = [(0, 3, 8), (0, 4, 7), (1, 3, 7), (0, 37), (0, 3, 7, 0), (3, 0, 7)]
    draws = [first, *(draw(*key) for key in keys)]
    for generator in zip(*draws):
        assert len(set(generator)) == len(draws)


def test_neighbouring_keys_are_unrelated():
    """Means and correlation of 4,000 uniform numbers, within five standard errors."""
    values = np.array([draw(0, 0, index) for index in range(4000)])
    assert np.abs(values.mean(axis=0) - 0.5).max() < 5 * np.sqrt(1 / 12 / 4000)
    for one in range(3):
        steps = np.corrcoef(values[:-1, one], values[1:, one])[0, 1]
        assert abs(steps) < 5 / np.sqrt(4000)
        for other in range(one):
            both = np.corrcoef(values[:, one], values[:, other])[0, 1]
            assert abs(both) < 5 / np.sqrt(4000)
