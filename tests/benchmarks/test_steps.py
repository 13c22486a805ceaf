"""The step that is timed: plain and divided forms compute what the model does."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmscpnet.benchmarks.naive import NaiveSCPNet
from mmscpnet.benchmarks.steps import TrainingStep, random_model
from tests.shared import ROOT
from tests.shrunken_configs import shrink

CONFIG = 'scpnet/scpnet_clip-rn50_1xb128_coco14-spml.py'
IMAGES = 40


@pytest.fixture
def step(tmp_path):
    init_default_scope('mmscpnet')
    cfg = shrink(CONFIG, tmp_path)
    # So that some are confident, and pseudo-labels take part.
    cfg.model.head.bias = 'shared'
    cfg.model.head.bias_init = 1.0
    model = random_model(cfg, ['cat', 'polar bear', 'sea', 'tree'], IMAGES)
    step = TrainingStep(model.double(), cfg, 3, 224, 3, IMAGES)
    step.views = [view.double() for view in step.views]
    return step


def gradients(model) -> dict:
    return {
        name: weight.grad.clone()
        for name, weight in model.named_parameters()
        if weight.grad is not None
    }


def losses_and_gradients(step, losses) -> tuple[dict, dict]:
    step.model.zero_grad()
    found = losses(step.views, step.samples)
    step.model.parse_losses(found)[0].backward()
    return {k: v.detach() for k, v in found.items()}, gradients(step.model)


def assert_equal(found: dict, want: dict) -> None:
    assert found.keys() == want.keys() and want
    for name, value in want.items():
        torch.testing.assert_close(found[name], value, rtol=1e-6, atol=1e-8, msg=name)


def test_plain_form_gives_the_same_numbers(step):
    state = {k: v.clone() for k, v in step.model.state_dict().items()}
    plain = losses_and_gradients(step, NaiveSCPNet(step.model, IMAGES).loss)
    step.model.load_state_dict(state)
    losses, grads = losses_and_gradients(step, step.model.loss)
    shared = plain[0].keys() & losses.keys()
    assert {'loss_cls', 'loss_cst', 'loss_dstl'} <= shared
    assert_equal({k: plain[0][k] for k in shared}, {k: losses[k] for k in shared})
    assert_equal(plain[1], grads)


def test_divided_step_moves_the_weights_alike(step):
    state = {k: v.clone() for k, v in step.model.state_dict().items()}
    stepped = []
    step.optimizer.step = lambda: stepped.append(gradients(step.model))
    seconds = step.divided()
    step.model.load_state_dict(state)
    _, grads = losses_and_gradients(step, step.model.loss)
    assert_equal(stepped[0], grads)
    assert set(seconds) == {
        'image tower',
        'text tower',
        'GCN',
        'losses',
        'optimiser',
        'EMA',
    }


def test_only_scpnet_is_divided():
    cfg = Config.fromfile(
        ROOT / 'configs/baselines/linear_rn50_1xb128_voc12-spml-an.py'
    )
    with pytest.raises(ValueError, match='divides the step of a SCPHead'):
        random_model(cfg, None, IMAGES)
