"""Label features: once a step, once an evaluation, and anew when weights change."""

import copy

import pytest
import torch
from torch import nn

from mmscpnet.engine.averaged_model import AveragedState
from mmscpnet.models.heads.weight_cache import WeightCache
from mmscpnet.registry import MODELS
from tests.models.utils import clip_models

CLASSES = ['cat', 'dog', 'sea', 'sky']


def build():
    torch.manual_seed(0)
    clip = dict(model='RN50', model_kwargs=clip_models.RESNET_KWARGS, pretrained=None)
    head = MODELS.build(
        dict(
            type='SCPHead',
            classes=CLASSES,
            in_channels=24,
            prompter=dict(
                type='CrossModalityPrompter',
                text_encoder=dict(type='CLIPTextEncoder', **clip),
            ),
            association=dict(num_layers=2, hidden_dims=16),
            label_graph=dict(type='StaticLabelGraph', source=None, topk=2),
            loss=dict(type='SPLCLoss'),
        )
    )
    head.init_weights()
    return head


class Counted:
    """A head in evaluation, with the number of its text-tower passes."""

    def __init__(self):
        self.head = build().eval()
        self.passes = 0
        self.head.prompter.register_forward_hook(self._count)
        self.feature = torch.randn(3, 24)

    def _count(self, *_):
        self.passes += 1

    @torch.no_grad()
    def logits(self):
        return self.head((self.feature.to(self.head.log_scale.dtype),))

    def fresh(self):
        """The logits without anything kept; gradient is on."""
        return self.head((self.feature.to(self.head.log_scale.dtype),)).detach()


@pytest.fixture
def counted():
    return Counted()


def test_once_per_evaluation(counted):
    first = counted.logits()
    for _ in range(4):
        torch.testing.assert_close(counted.logits(), first, rtol=0, atol=0)
    assert counted.passes == 1
    # The next evaluation begins with eval().
    counted.head.eval()
    counted.logits()
    counted.logits()
    assert counted.passes == 2
    torch.testing.assert_close(counted.fresh(), first, rtol=0, atol=0)


def train_a_step(head):
    head.train()
    parameters = [p for p in head.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.1)
    head((torch.randn(3, 24),)).square().sum().backward()
    optimizer.step()
    head.eval()


def step_in_evaluation_mode(head):
    parameters = [p for p in head.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.1)
    head((torch.randn(3, 24),)).square().sum().backward()
    optimizer.step()


def swap_averages(head):
    average = AveragedState(head, 0.5)
    for parameter in average.module.parameters():
        parameter.data.add_(torch.randn_like(parameter))
    average.swap_with(head)


def other_state(head):
    return {
        key: value + torch.randn_like(value) if value.is_floating_point() else value
        for key, value in head.state_dict().items()
    }


def replace_a_weight(head):
    head.association.weights[0] = nn.Parameter(torch.randn(24, 16))


def replace_a_module(head):
    head.association = copy.deepcopy(head.association)
    for weight in head.association.weights:
        weight.data.normal_()


def write_behind_the_back(head):
    # As mmengine's EMAHook does; what tells is the eval() of the evaluation loop.
    head.prompter.context.data.normal_()
    head.eval()


EVENTS = dict(
    training_step=train_a_step,
    step_without_change_of_mode=step_in_evaluation_mode,
    ema_swap=swap_averages,
    load_state_dict=lambda head: head.load_state_dict(other_state(head)),
    load_by_assignment=lambda h: h.load_state_dict(other_state(h), assign=True),
    load_of_a_part=lambda h: h.prompter.load_state_dict(other_state(h.prompter)),
    graph_from_elsewhere=lambda head: head.label_graph.normalized.mul_(0.5),
    another_weight=replace_a_weight,
    another_module=replace_a_module,
    dtype=lambda head: head.double(),
    dtype_of_a_part=lambda head: head.association.to(torch.bfloat16).float(),
    write_through_data=write_behind_the_back,
)


@pytest.mark.parametrize('event', EVENTS)
def test_anew_after(event, counted):
    before = counted.logits()
    EVENTS[event](counted.head)
    passes = counted.passes
    after = counted.logits()
    assert counted.passes == passes + 1
    expected = counted.fresh()
    torch.testing.assert_close(after, expected, rtol=0, atol=0)
    assert after.dtype == expected.dtype
    if event != 'dtype':
        assert not torch.equal(after, before)


def test_another_device():
    """'meta' stands in for a second device."""
    cache, module = WeightCache(), nn.Linear(2, 2)
    assert cache.get((module,), lambda: 'cpu') == 'cpu'
    module.to('meta')
    assert cache.get((module,), lambda: 'meta') == 'meta'


def test_autocast_has_a_value_of_its_own(counted):
    plain = counted.logits()
    with torch.autocast('cpu', torch.bfloat16):
        half = counted.logits()
        counted.logits()
    assert counted.passes == 2 and not torch.equal(plain, half)
    torch.testing.assert_close(counted.logits(), plain, rtol=0, atol=0)


def test_inference_mode_then_no_grad(counted):
    with torch.inference_mode():
        first = counted.head((counted.feature,))
    torch.testing.assert_close(counted.logits(), first.clone(), rtol=0, atol=0)
    assert counted.passes == 1
    train_a_step(counted.head)


def test_a_copy_keeps_its_own(counted):
    counted.logits()
    twin = copy.deepcopy(counted.head)
    train_a_step(twin)
    with torch.no_grad():
        found = twin((counted.feature,))
    torch.testing.assert_close(found, twin((counted.feature,)).detach())


def test_with_gradient_nothing_is_kept(counted):
    head = counted.head.train()
    for passes in (1, 2):
        # Two batches of one optimiser step: backward() has freed the first graph, so
        # the second batch computes the features again, and gradients add up.
        head((counted.feature,)).sum().backward()
        assert counted.passes == passes
        if passes == 1:
            once = head.prompter.context.grad.clone()
    torch.testing.assert_close(head.prompter.context.grad, 2 * once)


def test_cache_of_nothing_and_of_buffers():
    cache, calls = WeightCache(), []
    module = nn.BatchNorm1d(2)
    for _ in range(2):
        cache.get((module, None), lambda: calls.append(1))
    assert len(calls) == 1
    module.running_mean.add_(1)
    cache.get((module, None), lambda: calls.append(1))
    assert len(calls) == 2


def test_a_copy_starts_empty(counted):
    """A deep copy (for averaged weights) neither keeps nor doubles what was kept."""
    counted.logits()
    twin = copy.deepcopy(counted.head)
    assert twin._cache._value is None and not twin._cache._memory
    counted.logits()
    assert counted.passes == 1
