"""A training step reads nothing back from the device.

'meta' stands in for a device: its tensors have no values, so whatever would wait for
one (``item()``, ``if tensor:``, ``nonzero()``, a mask as index) is an error there.
"""

import contextlib

import pytest
import torch
from mmengine.registry import init_default_scope

from tests.models.classifiers.test_scpnet import clip_net, samples
from tests.models.losses.test_every_loss import LOSSES, build, call, problem


@pytest.fixture(autouse=True)
def meta(monkeypatch):
    init_default_scope('mmscpnet')
    # There is no autocast for 'meta'; the one in the head only switches it off.
    monkeypatch.setattr(torch, 'autocast', lambda *_, **__: contextlib.nullcontext())


def test_meta_finds_what_waits():
    for wait in (torch.Tensor.item, torch.Tensor.nonzero, bool, torch.Tensor.tolist):
        with pytest.raises((RuntimeError, NotImplementedError)):
            wait(torch.zeros(1, device='meta'))
    with pytest.raises((RuntimeError, NotImplementedError)):
        values = torch.zeros(3, device='meta')
        values[values > 0]


@pytest.mark.parametrize('teacher_grad', [True, False])
def test_step_of_scpnet(teacher_grad):
    model = clip_net(teacher_grad=teacher_grad).train().to('meta')
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, foreach=False)
    data = samples(2)
    for sample in data:
        sample.set_gt_score(sample.gt_score.to('meta'))
    for _ in range(2):
        views = [torch.empty(2, 3, 64, 64, device='meta') for _ in range(3)]
        losses = model(views, data, mode='loss')
        optimizer.zero_grad()
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        optimizer.step()
    assert {value.device.type for value in losses.values()} == {'meta'}
    assert model.head.pessl.state.packed.device.type == 'meta'


@pytest.mark.parametrize('name', LOSSES)
def test_losses(name):
    logits, targets = problem(dtype=torch.float32)
    loss = build(name, logits.shape[1]).to('meta')
    logits, targets = logits.to('meta').requires_grad_(), targets.to('meta')
    for epoch in (0, 2):
        value = call(loss, logits, targets, epoch)
        (gradient,) = torch.autograd.grad(value, logits)
        assert gradient.shape == logits.shape
        assert value.device.type == 'meta' and value.dim() == 0
