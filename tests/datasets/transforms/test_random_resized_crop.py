"""The antialiased crop: Pillow's values, mmpretrain's random numbers."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.datasets.transforms import AntialiasedRandomResizedCrop
from mmscpnet.datasets.transforms.random_resized_crop import resize_antialiased


def photo(height=90, width=120):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 6, width // 6, 3), np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height)))


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
@pytest.mark.parametrize('size', [(90, 120), (30, 41), (7, 5), (224, 224), (1, 1)])
def test_within_one_of_pillow(size, interpolation):
    for img in (photo(), photo()[10:77, 3:99]):
        found = resize_antialiased(img, size, interpolation)
        resample = getattr(Image.Resampling, interpolation.upper())
        wanted = Image.fromarray(img).resize(size[::-1], resample)
        assert found.dtype == np.uint8
        assert abs(found.astype(int) - np.asarray(wanted)).max() <= 1


def test_grey_and_float():
    img = photo()[..., 0]
    found = resize_antialiased(img, (20, 30))
    wanted = np.asarray(
        Image.fromarray(img).resize((30, 20), Image.Resampling.BILINEAR)
    )
    assert abs(found.astype(int) - wanted).max() <= 1
    exact = resize_antialiased(img.astype(np.float32), (20, 30))
    assert exact.dtype == np.float32 and abs(exact - wanted).max() <= 1


def test_same_parts_as_mmpretrains():
    from mmpretrain.datasets.transforms import RandomResizedCrop

    ours = AntialiasedRandomResizedCrop(32)
    theirs = RandomResizedCrop(32, backend='pillow')
    for seed in range(20):
        found = []
        for transform in (ours, theirs):
            np.random.seed(seed)
            found.append(transform(dict(img=photo()))['img'].astype(int))
        assert found[0].shape == (32, 32, 3)
        assert abs(found[0] - found[1]).max() <= 1


def test_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="bilinear or bicubic, found 'area'"):
        AntialiasedRandomResizedCrop(32, interpolation='area')
