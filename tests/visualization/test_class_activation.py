"""Class-activation maps, against the formula, on every kind of image tower."""

import sys

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmscpnet.registry import MODELS
from mmscpnet.visualization.class_activation import (
    METHODS,
    class_activation_maps,
    find_layers,
    load_method,
    overlay,
    spatial_map,
)
from tests.apis.small_models import CLIP, linear_head, scp_head
from tests.models.utils import clip_models

pytest.importorskip('pytorch_grad_cam', reason='needs the extra "cam"')
RESNET = dict(
    backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
)
VIT = dict(
    type='OpenCLIPImageEncoder',
    model='ViT-B-16',
    pretrained=None,
    model_kwargs=clip_models.kwargs(),
)
TOWERS = {
    'CLIP ResNet': (dict(backbone=dict(type='OpenCLIPImageEncoder', **CLIP)), 64, 24),
    'CLIP ViT': (dict(backbone=VIT), 32, 24),
    'CLIP ViT, not square': (dict(backbone=dict(VIT, img_size=(32, 48))), (32, 48), 24),
    'EfficientNet': (
        dict(
            backbone=dict(type='EfficientNetLite0', pretrained=None),
            neck=dict(type='GlobalAveragePooling'),
        ),
        96,
        1280,
    ),
    'ViT of MMPretrain': (
        dict(
            backbone=dict(
                type='VisionTransformer',
                arch=dict(
                    embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=16
                ),
                img_size=32,
                patch_size=8,
            )
        ),
        32,
        16,
    ),
    'Swin of MMPretrain': (
        dict(
            backbone=dict(
                type='SwinTransformer',
                arch=dict(embed_dims=8, depths=[1, 1], num_heads=[1, 1]),
                out_indices=(1,),
                img_size=32,
                window_size=4,
            ),
            neck=dict(type='GlobalAveragePooling'),
        ),
        32,
        16,
    ),
}


def build(tower: dict, channels: int, head=linear_head, **kwargs):
    init_default_scope('mmscpnet')
    torch.manual_seed(0)
    config = dict(type='SCPNet', head=dict(head(), in_channels=channels), **tower)
    model = MODELS.build({**config, **kwargs})
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    return model


def photo(size):
    height, width = (size, size) if isinstance(size, int) else size
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('frozen', [False, True])
def test_against_the_formula(frozen):
    """Behind global average pooling GradCAM is the sum of maps by class weight."""
    model = build(RESNET, 64, frozen_backbone=frozen)
    torch.nn.init.uniform_(model.head.fc.weight)
    inputs = photo(64)
    found = class_activation_maps(model, inputs, [3, 1], layers=['backbone.layer4'])
    assert found.shape == (2, 64, 64) and found.dtype == np.float32
    with torch.no_grad():
        (maps,) = model.backbone(inputs)
    for label, heat in zip((3, 1), found):
        weight = model.head.fc.weight[label].detach()
        expected = (weight[:, None, None] * maps[0]).sum(0).clamp_min(0).numpy()
        # Its own range, as the package scales it before and after.
        expected = (expected - expected.min()) / (expected - expected.min()).max()
        corners = heat[[0, 0, -1, -1], [0, -1, 0, -1]]
        np.testing.assert_allclose(
            corners, expected[[0, 0, -1, -1], [0, -1, 0, -1]], atol=1e-5
        )
        assert heat.min() >= 0 and heat.max() <= 1 + 1e-6


def test_nothing_raises_a_label():
    model = build(RESNET, 64)
    # Behind a ReLU no activation is negative.
    torch.nn.init.constant_(model.head.fc.weight, -1)
    assert not class_activation_maps(
        model, photo(64), [0], layers=['backbone.layer4']
    ).any()


@pytest.mark.parametrize('name', TOWERS)
def test_every_tower(name):
    tower, size, channels = TOWERS[name]
    model = build(tower, channels)
    inputs = photo(size)
    maps = class_activation_maps(model, inputs, [0, 2])
    assert maps.shape == (2, *inputs.shape[-2:])
    assert np.isfinite(maps).all() and maps.any()
    assert not np.allclose(maps[0], maps[1])


@pytest.mark.parametrize('method', METHODS)
def test_every_method(method):
    tower, size, channels = TOWERS['CLIP ResNet']
    model = build(tower, channels, scp_head)
    maps = class_activation_maps(model, photo(size), [0, 2], method)
    assert maps.shape == (2, size, size) and np.isfinite(maps).all()
    # With a text tower in the head: nothing of the head gets a gradient.
    assert all(p.grad is None for p in model.head.parameters())


@pytest.mark.parametrize('size', [(32, 48), (48, 32)])
def test_places_of_tokens(size):
    """Class token away, the others row by row."""
    tower = dict(backbone=dict(VIT, img_size=size))
    model = build(tower, 24)
    rows, columns = size[0] // 8, size[1] // 8
    tokens = torch.arange(1 + rows * columns).float()[None, :, None]
    found = spatial_map(model, size)(tokens)
    assert found.shape == (1, 1, rows, columns)
    assert found[0, 0, 1, 0] == 1 + columns and found[0, 0, -1, -1] == rows * columns
    maps = torch.rand(1, 2, 3, 4)
    assert spatial_map(model, size)(maps) is maps
    with pytest.raises(ValueError, match='tokens are no grid in'):
        spatial_map(model, size)(torch.rand(1, 99, 2))
    with pytest.raises(ValueError, match='has no places'):
        spatial_map(model, size)(torch.rand(1, 3))


def test_default_layers():
    tower, _, channels = TOWERS['CLIP ResNet']
    model = build(tower, channels)
    assert find_layers(model) == [model.backbone.visual.layer4[-1]]
    model = build(*TOWERS['CLIP ViT'][::2])
    blocks = model.backbone.visual.transformer.resblocks
    assert find_layers(model) == [blocks[-1].ln_1]
    model = build(*TOWERS['ViT of MMPretrain'][::2])
    assert find_layers(model) == [model.backbone.layers[-1].ln1]
    with pytest.raises(ValueError, match="no layer 'backbone.last'. Layers near"):
        find_layers(model, ['backbone.last'])


def test_methods_refused(monkeypatch):
    with pytest.raises(ValueError, match='one of GradCAM, .*found EigenCAM'):
        load_method('EigenCAM')
    assert load_method('gradcam++').__name__ == 'GradCAMPlusPlus'
    monkeypatch.setitem(sys.modules, 'pytorch_grad_cam', None)
    with pytest.raises(ValueError, match=r'grad-cam: pip install "mmscpnet\[cam\]"'):
        load_method('GradCAM')


def test_overlay():
    pixels = np.full((2, 3, 3), 128, np.uint8)
    drawn = overlay(pixels, np.array([[0, 0.5, 1]] * 2)).astype(int)
    assert drawn.shape == (2, 3, 3)
    dark, _, bright = drawn[0]
    # Dark blue to yellow, and lighter all the way: told apart in grey, too.
    assert dark[2] > dark[0] and bright[0] > bright[2] and bright[1] > bright[2]
    assert (np.diff(drawn.sum(axis=2)[0]) > 0).all()
