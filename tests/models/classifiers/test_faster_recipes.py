"""Options that make a step faster: the same numbers, or what the docstring says."""

import copy

import pytest
import torch
from mmengine.registry import init_default_scope

from tests.end_to_end.tiny_run import load_tiny_run, write_tiny_run
from tests.models.classifiers.test_scpnet import clip_net, samples


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')
    torch.manual_seed(0)


def total(losses):
    return sum(value for key, value in losses.items() if 'loss' in key)


def gradients(model, views, data):
    """Of one step; and how many images went through the backbone with gradient."""
    seen = []
    handle = model.backbone.register_forward_hook(
        lambda _, inputs, out: seen.append((len(inputs[0]), out[-1].requires_grad))
    )
    model.zero_grad()
    losses = model(views, data, mode='loss')
    total(losses).backward()
    handle.remove()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}
    return losses, found, sum(count for count, grad in seen if grad)


def twins(**options):
    """Models of equal weights, without and with the options."""
    torch.manual_seed(1)
    plain = clip_net()
    torch.manual_seed(1)
    other = clip_net(**options)
    other.load_state_dict(plain.state_dict())
    return plain, other


def assert_same_step(plain, other, images, rtol=1e-4):
    views = [torch.randn(2, 3, 64, 64) for _ in range(3)]
    data = samples(2)
    expected, gradient, _ = gradients(plain, views, data)
    found, other_gradient, count = gradients(other, views, data)
    assert count == images
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=rtol, atol=1e-5, msg=name)
    assert gradient.keys() == other_gradient.keys()
    for name, value in gradient.items():
        torch.testing.assert_close(
            other_gradient[name], value, rtol=1e-3, atol=1e-4, msg=name
        )
    assert gradient['backbone.visual.conv1.weight'].abs().sum() > 0


def test_teacher_without_gradient_learns_the_same():
    """With batch norm that stands still nothing else can differ."""
    plain, other = twins(teacher_grad=False)
    for model in (plain, other):
        model.eval()
    assert_same_step(plain, other, images=4)


def test_teacher_without_gradient_has_batch_statistics_of_its_own():
    plain, other = twins(teacher_grad=False)
    views = [torch.randn(2, 3, 64, 64) for _ in range(3)]
    for model in (plain, other):
        model.train()
        model(views, samples(2), mode='loss')
    counts = [
        model.backbone.visual.bn1.num_batches_tracked.item() for model in (plain, other)
    ]
    assert counts == [1, 2]


def test_teacher_without_gradient_needs_three_views():
    model = clip_net(teacher_grad=False)
    with pytest.raises(ValueError, match='labelled, weak, strong.*found 2'):
        model([torch.randn(2, 3, 64, 64)] * 2, samples(2), mode='loss')
    with pytest.raises(ValueError, match='frozen_backbone=True'):
        clip_net(teacher_grad=False, frozen_backbone=True)


def test_two_views():
    """The labelled view is the weak one: two thirds of the images, both losses."""
    model = clip_net()
    views = [torch.randn(2, 3, 64, 64) for _ in range(2)]
    data = samples(2)
    model.eval()
    found, _, count = gradients(model, views, data)
    assert count == 4
    model.head.pessl.set_num_samples(17)  # forget the pseudo-labels
    expected, _, _ = gradients(model, [views[0], *views], data)
    for name in ('loss_cls', 'loss_cst', 'loss_dstl'):
        torch.testing.assert_close(found[name], expected[name])


def test_channels_last():
    plain, other = twins(channels_last=True)
    layouts = []
    other.backbone.visual.layer2[0].conv2.register_forward_hook(
        lambda _, inputs, out: layouts.append(
            out.is_contiguous(memory_format=torch.channels_last)
        )
    )
    assert_same_step(plain.train(), other.train(), images=6)
    assert layouts == [True]
    weight = other.backbone.visual.conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert weight.grad.is_contiguous(memory_format=torch.channels_last)
    # An averaged copy, and weights that come back, keep the layout.
    twin = copy.deepcopy(other)
    twin.load_state_dict(plain.state_dict())
    weight = twin.backbone.visual.conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_compiled_backbone():
    plain, other = twins(compile_backbone=dict(backend='eager'))
    assert plain.state_dict().keys() == other.state_dict().keys()
    assert_same_step(plain.train(), other.train(), images=6)
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] > 0
    # A copy, as for averaging, has the same names and is not compiled.
    twin = copy.deepcopy(other).eval()
    assert twin.state_dict().keys() == plain.state_dict().keys()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(twin(images), plain.eval()(images))


def test_bf16():
    """Autocast around the step, as mmengine's AmpOptimWrapper has it on a GPU."""
    plain, other = twins()
    views = [torch.randn(2, 3, 64, 64) for _ in range(3)]
    data = samples(2)
    for model in (plain, other):
        model.eval()
    expected, gradient, _ = gradients(plain, views, data)
    with torch.autocast('cpu', torch.bfloat16):
        found, half, _ = gradients(other, views, data)
    for name in ('loss_cls', 'loss_cst', 'loss_dstl'):
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name], expected[name], rtol=0.05, atol=0.05)
    names = 'head.prompter.context', 'backbone.visual.conv1.weight'
    for name in names:
        pair = half[name].flatten(), gradient[name].flatten()
        assert torch.cosine_similarity(*pair, dim=0) > 0.8, name


def test_a_run(tmp_path):
    """Trained, averaged, evaluated and saved, from a config."""
    from mmscpnet.utils.checkpoint import read_checkpoint
    from mmscpnet.utils.cli import build_runner

    config = write_tiny_run(tmp_path)
    options = {
        'model.teacher_grad': False,
        'model.channels_last': True,
        'optim_wrapper.accumulative_counts': 2,
        'train_cfg.max_epochs': 1,
    }
    build_runner(load_tiny_run(config, tmp_path / 'work', **options)).train()
    first, last = (
        read_checkpoint(str(tmp_path / 'work' / f'iter_{i}.pth')) for i in (1, 4)
    )
    # Four batches are two steps of the optimiser; the first alone is none.
    name = 'backbone.conv1.weight'
    moved = first['ema_state_dict'][f'module.{name}'] != last['state_dict'][name]
    assert moved.any() and 'pending_gradients' in first
    assert last['optimizer']['state'][0]['step'] == 2
    assert last['ema_state_dict']['steps'] == 2
