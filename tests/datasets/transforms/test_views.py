"""FixMatch's strong augmentation."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmscpnet.datasets.transforms import FixMatchRandAugment, RelativeCutout
from mmscpnet.datasets.transforms.views import FIXMATCH_POLICIES


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')


def photo(height=48, width=64):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_fourteen_operations_keep_shape_and_type():
    transform = FixMatchRandAugment()
    assert len(transform.transforms) == len(FIXMATCH_POLICIES) == 14
    np.random.seed(0)
    for operation in transform.transforms:
        result = operation.transform(dict(img=photo()))['img']
        assert result.shape == (48, 64, 3) and result.dtype == np.uint8


def test_magnitudes_are_uniform_over_their_range():
    np.random.seed(0)
    for operation in FixMatchRandAugment().transforms:
        if operation.magnitude_range is None:
            continue
        low, high = operation.magnitude_range
        drawn = np.array([operation.random_magnitude() for _ in range(2000)])
        assert low <= drawn.min() and drawn.max() <= high
        assert abs(drawn.mean() - (low + high) / 2) < 0.03 * (high - low)


def test_identity_is_identity_and_brightness_darkens():
    transforms = FixMatchRandAugment().transforms
    image = photo()
    for _ in range(20):
        assert (transforms[5].transform(dict(img=image.copy()))['img'] == image).all()
        assert transforms[1].transform(dict(img=image.copy()))['img'].mean() < 125


def test_three_operations_are_drawn():
    transform = FixMatchRandAugment(num_policies=3)
    assert all(len(transform.random_policy_indices()) == 3 for _ in range(5))


def test_cutout_is_relative_to_the_width():
    np.random.seed(0)
    image = np.zeros((100, 200, 3), np.uint8)
    sides = []
    for _ in range(300):
        cut = RelativeCutout(max_ratio=0.5).transform(dict(img=image.copy()))['img']
        assert set(np.unique(cut)) <= {0, 127}
        sides.append((cut[..., 0] == 127).any(axis=0).sum())
    assert max(sides) <= 100 and max(sides) > 80
    assert min(sides) < 10
