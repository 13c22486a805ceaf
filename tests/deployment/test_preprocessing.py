import pytest

from mmscpnet.deployment import describe_preprocessing
from mmscpnet.deployment.preprocessing import input_size

LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')


def test_steps():
    crop = [
        LOAD,
        dict(type='ResizeEdge', scale=256, edge='short', backend='pillow'),
        dict(type='CenterCrop', crop_size=224),
        PACK,
    ]
    steps = describe_preprocessing(crop)
    assert steps == [{'resize_short': 256}, {'center_crop': [224, 224]}]
    assert input_size(steps) == (224, 224)


def test_scale_is_width_first():
    resize = dict(type='mmpretrain.Resize', scale=(640, 480), interpolation='bicubic')
    steps = describe_preprocessing([LOAD, resize, PACK])
    assert steps == [
        {'resize': [480, 640], 'interpolation': 'bicubic', 'library': 'cv2'}
    ]
    assert input_size(steps) == (480, 640)


@pytest.mark.parametrize(
    'transform',
    [
        dict(type='Resize', scale=(64, 64), keep_ratio=True),
        dict(type='ResizeEdge', scale=64, edge='long'),
        dict(type='CenterCrop', crop_size=64, auto_pad=True),
        dict(type='Pad', size=(64, 64)),
    ],
)
def test_refused(transform):
    with pytest.raises(ValueError, match=transform['type']):
        describe_preprocessing([LOAD, transform, PACK])


def test_size_that_is_not_fixed():
    with pytest.raises(ValueError, match='--shape'):
        input_size(describe_preprocessing([LOAD, dict(type='ResizeEdge', scale=64)]))
