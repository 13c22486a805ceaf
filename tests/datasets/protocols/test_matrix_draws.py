"""Matrices over images x classes, against the draw of the whole at once."""

import numpy as np
import pytest
import torch

from mmscpnet.datasets.protocols.matrix_draws import dualcoop_kept, sarb_kept


@pytest.mark.parametrize('ratio', [0.1, 0.5, 0.9])
@pytest.mark.parametrize('rows', [1, 7, 1000])
def test_sarb_is_the_published_draw(ratio, rows):
    state = np.random.get_state()
    try:
        np.random.seed(0)
        expected = np.random.random((101, 13)) < ratio
    finally:
        np.random.set_state(state)
    found = np.concatenate(list(sarb_kept(101, 13, ratio, rows=rows)))
    assert (found == expected).all()
    assert abs(found.mean() - ratio) < 0.05


def test_sarb_leaves_the_global_generator_alone():
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    list(sarb_kept(10, 3, 0.5))
    assert np.random.random() == expected


@pytest.mark.parametrize('rows', [1, 3, 16, 1000])
def test_dualcoop_is_the_draw_of_torch(rows):
    torch.manual_seed(7)
    expected = (torch.rand(101, 13) < 0.3).numpy()
    found = np.concatenate(list(dualcoop_kept(101, 13, 0.3, seed=7, rows=rows)))
    assert (found == expected).all()
    other = np.concatenate(list(dualcoop_kept(101, 13, 0.3, seed=8)))
    assert (found != other).any()


def test_most_images_of_coco_lose_all_positives_at_a_tenth():
    """With three positives an image, 0.9 ** 3 of them do."""
    kept = np.concatenate(list(sarb_kept(20000, 3, 0.1)))
    assert abs((~kept.any(axis=1)).mean() - 0.729) < 0.01
