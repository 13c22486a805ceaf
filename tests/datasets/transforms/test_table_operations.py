"""Operations by table: the values of Pillow."""

import mmcv
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from PIL import Image, ImageEnhance, ImageOps

from mmscpnet.registry import TRANSFORMS


def photos():
    rng = np.random.default_rng(0)
    narrow = rng.normal(120, 20, (40, 50, 3)).clip(0, 255).astype(np.uint8)
    return dict(
        noise=rng.integers(0, 256, (31, 47, 3), np.uint8),
        narrow=narrow,
        part=narrow[3:30, 5:40],
        two_values=np.where(rng.random((20, 20, 3)) < 0.1, 30, 200).astype(np.uint8),
        one_value=np.full((8, 9, 3), 77, np.uint8),
        few_pixels=rng.integers(0, 256, (3, 4, 3), np.uint8),
        one_pixel=np.array([[[1, 2, 3]]], np.uint8),
        grey=rng.integers(40, 90, (30, 20), np.uint8),
    )


def pillow(operation, img):
    """The operation on an image whose channels are in the order of mmcv."""
    if img.ndim == 2:
        return np.asarray(operation(Image.fromarray(img)))
    rgb = np.ascontiguousarray(img[..., ::-1])
    return np.asarray(operation(Image.fromarray(rgb)))[..., ::-1]


OPERATIONS = [
    ('TableAutoContrast', {}, ImageOps.autocontrast),
    ('TableEqualize', {}, ImageOps.equalize),
    *(
        ('TablePosterize', dict(bits=b), lambda img, b=b: ImageOps.posterize(img, b))
        for b in (1, 4, 7, 8)
    ),
    *(
        ('TableSolarize', dict(thr=t), lambda img, t=t: ImageOps.solarize(img, t))
        for t in (0, 1, 128, 256)
    ),
]


@pytest.mark.parametrize('name', photos())
@pytest.mark.parametrize('type_, options, reference', OPERATIONS)
def test_equal_to_pillow(name, type_, options, reference):
    init_default_scope('mmscpnet')
    img = photos()[name]
    before = img.copy()
    operation = TRANSFORMS.build(dict(type=type_, prob=1.0, **options))
    found = operation(dict(img=img))['img']
    np.testing.assert_array_equal(found, pillow(reference, img))
    np.testing.assert_array_equal(img, before)  # other views use it, too


@pytest.mark.parametrize('name', photos())
@pytest.mark.parametrize('factor', [0.0, 0.05, 0.31, 1.0, 1.9])
@pytest.mark.parametrize('kind', ['Brightness', 'Contrast'])
def test_pillows_but_for_the_rounding_of_the_grey(kind, name, factor):
    init_default_scope('mmscpnet')
    img = photos()[name]
    config = dict(type=f'Table{kind}', prob=1.0, random_negative_prob=0.0)
    operation = TRANSFORMS.build(dict(magnitude=factor - 1, **config))
    found = operation(dict(img=img))['img'].astype(int)
    wanted = pillow(lambda i: getattr(ImageEnhance, kind)(i).enhance(factor), img)
    assert abs(found - wanted).max() <= 1


@pytest.mark.parametrize(
    'type_',
    ['AutoContrast', 'Brightness', 'Contrast', 'Equalize', 'Posterize', 'Solarize'],
)
def test_may_be_left_out(type_):
    init_default_scope('mmscpnet')
    given = dict(
        Brightness=dict(magnitude=0.5),
        Contrast=dict(magnitude=0.5),
        Posterize=dict(bits=2),
        Solarize=dict(thr=9),
    )
    magnitude = given.get(type_, {})
    operation = TRANSFORMS.build(dict(type=f'Table{type_}', prob=0.0, **magnitude))
    img = photos()['narrow']
    assert operation(dict(img=img))['img'] is img


@pytest.mark.parametrize('name', photos())
@pytest.mark.parametrize('factor', [0.05, 0.5, 1.0, 1.7])
def test_sharpness_is_pillows_inside_and_mmcvs_at_the_edge(name, factor):
    init_default_scope('mmscpnet')
    img = photos()[name]
    config = dict(type='EightBitSharpness', prob=1.0, random_negative_prob=0.0)
    operation = TRANSFORMS.build(dict(magnitude=factor - 1, **config))
    found = operation(dict(img=img))['img'].astype(int)
    assert abs(found - mmcv.adjust_sharpness(img, factor)).max() <= 1
    if min(img.shape[:2]) > 2:
        wanted = pillow(lambda i: ImageEnhance.Sharpness(i).enhance(factor), img)
        assert abs(found - wanted)[1:-1, 1:-1].max() <= 1
