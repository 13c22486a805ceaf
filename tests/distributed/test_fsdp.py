"""A sharded ViT-B/16 recipe trains as the whole model does, and resumes."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmscpnet.engine.strategies.fsdp import SCPNetFSDPStrategy, find_modules
from tests.distributed.forked import run_jobs
from tests.distributed.tiny import GLOO, load, logged, write_config
from tests.models.utils import clip_models
from tests.shared import ROOT

CONFIG = ROOT / 'configs/scpnet/scpnet_clip-vit-b16_fsdp_coco14-spml.py'
VIT = clip_models.kwargs({**clip_models.VIT, 'patch_size': 16})


def write_configs(folder):
    """The strategy of the real configuration on a small ViT; and without it."""
    model = Config.fromfile(CONFIG).model.backbone.model
    tiny = Config.fromfile(write_config(folder, num_photos=16))
    tiny.model.backbone = dict(
        type='OpenCLIPImageEncoder', model=model, pretrained=None, model_kwargs=VIT
    )
    tiny.model.pop('neck')
    tiny.model.head.in_channels = VIT['embed_dim']
    tiny.train_cfg.max_epochs = 2
    tiny.param_scheduler.total_epochs = 2
    tiny.default_hooks.checkpoint.interval = 1
    tiny.dump(folder / 'whole.py')
    real = Config.fromfile(CONFIG)
    tiny.update(runner_type=real.runner_type, strategy=real.strategy)
    tiny.dump(folder / 'fsdp.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('fsdp')
    write_configs(folder)
    call = 'tests.distributed.jobs:tool'
    options = ['--cfg-options', GLOO, 'train_dataloader.batch_size=']

    def job(processes, config, name, *extra):
        arguments = [folder / config, '--work-dir', folder / name, *extra, *options]
        arguments[-1] += str(8 // processes)
        return processes, call, 'train', *arguments

    interrupted = folder / 'sharded' / 'epoch_1.pth'
    run_jobs(
        folder,
        job(1, 'whole.py', 'whole'),
        job(2, 'fsdp.py', 'sharded'),
        job(2, 'fsdp.py', 'resumed', '--resume', interrupted),
    )
    return folder


def assert_same_weights(whole, sharded):
    assert whole.keys() == sharded.keys()
    for name, value in whole.items():
        found = sharded[name]
        if name.endswith('_extra_state'):
            assert value.any() and torch.equal(found, value)
            continue
        if name.endswith('in_proj_bias'):
            # Keys' biases have no gradient but rounding, which Adam magnifies.
            parts = [tensor.chunk(3) for tensor in (value, found)]
            value, found = (torch.cat([q, v]) for q, _, v in parts)
        torch.testing.assert_close(found, value, atol=1e-4, rtol=0, msg=name)


def test_trains_as_the_whole_model(folder):
    values = logged(folder / 'whole', 'loss')
    assert len(values) == 4
    assert logged(folder / 'sharded', 'loss') == pytest.approx(values, rel=1e-5)
    values = logged(folder / 'whole', 'multi-label/mAP')
    assert logged(folder / 'sharded', 'multi-label/mAP') == pytest.approx(values)
    whole, sharded = (load(folder / n / 'epoch_2.pth') for n in ('whole', 'sharded'))
    for part in ('state_dict', 'ema_state_dict'):
        assert_same_weights(whole[part], sharded[part])
    # the average is one, and of four steps
    moved = 'head.association.weights.0'
    pair = whole['state_dict'][moved], whole['ema_state_dict'][f'module.{moved}']
    assert not torch.allclose(*pair, atol=1e-4)
    assert sharded['ema_state_dict']['steps'] == 4
    for kind in ('ema', 'plain'):
        key = f'multi-label/mAP_{kind}'
        values = logged(folder / 'whole', key)
        assert values and logged(folder / 'sharded', key) == pytest.approx(values), key
    # groups by the shape of the whole parameter, not of its flat part
    names = [group['name'] for group in sharded['optimizer']['param_groups']]
    assert names == ['base', 'base_no_decay', 'gcn']
    sizes = [len(group['params']) for group in whole['optimizer']['param_groups']]
    groups = sharded['optimizer']['param_groups']
    state = sharded['optimizer']['state']['head.association.weights.0']
    assert not torch.equal(state['exp_avg'], state['exp_avg_sq'])
    assert [len(group['params']) for group in groups] == sizes


def test_resumes(folder):
    assert len(logged(folder / 'resumed', 'loss')) == 2
    for key in ('loss', 'lr'):
        values = logged(folder / 'sharded', key)[2:]
        assert logged(folder / 'resumed', key) == values, key
    first, second = (load(folder / n / 'epoch_2.pth') for n in ('sharded', 'resumed'))
    assert second['meta']['iter'] == 4
    for part in ('state_dict', 'ema_state_dict'):
        assert first[part].keys() == second[part].keys()
        for name, value in first[part].items():
            assert torch.equal(second[part][name], value), name
    for name, state in first['optimizer']['state'].items():
        for key, value in state.items():
            assert torch.equal(second['optimizer']['state'][name][key], value), name


def test_needs_several_processes():
    with pytest.raises(ValueError, match='dist_train.sh'):
        SCPNetFSDPStrategy(env_kwargs=dict(launcher='none'))


def test_patterns_of_units():
    model = nn.Module()
    model.backbone = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    found = find_modules(model, ['backbone.*'])
    assert found == set(model.backbone)
    with pytest.raises(ValueError, match=r"strategy.wrap: 'backbone.blocks.\*'"):
        find_modules(model, ['backbone.blocks.*'])
