from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import convert_sync_batchnorm
from torch.nn.modules.batchnorm import _BatchNorm

from mmscpnet.engine import FrozenNormHook
from tests.models.classifiers.test_scpnet import clip_net, samples
from tests.shared import ROOT


def norm_modes(model):
    """Mode of the BatchNorm in each training step; all else must train."""
    kinds = [isinstance(module, _BatchNorm) for module in model.modules()]
    rows = []
    for modes in model.modes:
        assert all(mode for mode, norm in zip(modes, kinds) if not norm)
        rows += [mode for mode, norm in zip(modes, kinds) if norm]
    return rows


@pytest.mark.parametrize(
    'epochs,expected', [(0, 'TTTTTT'), (1, 'FFTTTT'), (2, 'FFFFTT'), (9, 'FFFFFF')]
)
def test_frozen_for_some_epochs(make_runner, epochs, expected):
    runner = make_runner(epochs=3, hooks=[dict(type='FrozenNormHook', epochs=epochs)])
    runner.train()
    assert norm_modes(runner.model) == [mode == 'T' for mode in expected]
    norm = runner.model.backbone[1]
    assert norm.num_batches_tracked.item() == expected.count('T')


def test_statistics_stand_still_and_scale_learns(make_runner):
    runner = make_runner(epochs=1, hooks=[dict(type='FrozenNormHook')])
    runner.train()
    norm = runner.model.backbone[1]
    assert torch.equal(norm.running_mean, torch.zeros(4))
    torch.manual_seed(3)
    start = type(runner.model)()
    start.init_weights()
    assert not torch.equal(norm.weight, start.backbone[1].weight)


def test_a_frozen_backbone_stays_in_evaluation(make_runner, toy_model):
    class Frozen(toy_model):
        def train(self, mode=True):
            super().train(mode)
            self.backbone.eval()
            return self

    runner = make_runner(
        epochs=2, model=Frozen(), hooks=[dict(type='FrozenNormHook', epochs=1)]
    )
    runner.train()
    kinds = [isinstance(m, _BatchNorm) for m in runner.model.modules()]
    modes = [m for row in runner.model.modes for m, n in zip(row, kinds) if n]
    assert modes == [False] * 4


def test_resumed_run_is_past_the_frozen_epoch(make_runner, tmp_path):
    make_runner(epochs=1, work_dir=tmp_path / 'a').train()
    runner = make_runner(
        epochs=2,
        hooks=[dict(type='FrozenNormHook')],
        load_from=str(tmp_path / 'a' / 'epoch_1.pth'),
        resume=True,
    )
    runner.train()
    assert norm_modes(runner.model) == [True, True]


def test_iteration_based_loop(make_runner):
    runner = make_runner(
        train_cfg=dict(by_epoch=False, max_iters=6, val_interval=4),
        checkpoint=dict(by_epoch=False, interval=100),
        hooks=[dict(type='FrozenNormHook', epoch_length=3)],
    )
    runner._train_dataloader['sampler'] = dict(type='InfiniteSampler')
    runner.train()
    assert norm_modes(runner.model) == [False] * 3 + [True] * 3


def test_refused_options(make_runner):
    with pytest.raises(ValueError, match='epochs'):
        FrozenNormHook(epochs=-1)
    runner = make_runner(
        train_cfg=dict(by_epoch=False, max_iters=2), hooks=[dict(type='FrozenNormHook')]
    )
    with pytest.raises(ValueError, match='FrozenNormHook.*epoch_length'):
        runner.train()


def test_sync_batch_norm_of_the_configs():
    """What mmengine makes of ``sync_bn`` in several processes on GPUs.

    In one process torch's SyncBatchNorm computes as batch norm does, on CPUs too.
    """
    config = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
    plain, other = clip_net().train(), clip_net().train()
    other.load_state_dict(plain.state_dict())
    other = convert_sync_batchnorm(other, config.sync_bn)
    norms = [m for m in other.modules() if isinstance(m, _BatchNorm)]
    assert len(norms) > 10 and all(type(m) is torch.nn.SyncBatchNorm for m in norms)
    assert plain.state_dict().keys() == other.state_dict().keys()
    views, data = [torch.randn(2, 3, 64, 64) for _ in range(3)], samples(2)
    expected, found = (model(views, data, mode='loss') for model in (plain, other))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)
    # In the first epoch the hook holds them still like any other.
    runner = SimpleNamespace(model=other, train_loop=None, epoch=0)
    FrozenNormHook().before_train_iter(runner, 0)
    assert not any(m.training for m in norms) and other.training
