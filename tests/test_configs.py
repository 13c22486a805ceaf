"""Every config builds and takes training steps and a test, shrunken."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmscpnet.models.heads import SCPHead
from mmscpnet.registry import MODELS
from mmscpnet.utils.cli import build_runner
from tests.shared import ROOT
from tests.shrunken_configs import CONFIGS, shrink


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains_and_tests(name, tmp_path):
    torch.set_num_threads(1)
    config = shrink(name, tmp_path)
    runner = build_runner(config)
    runner.train()
    assert runner.iter >= 1
    metrics = runner.test()
    assert 0 <= metrics['multi-label/mAP'] <= 100
    head = runner.model.head
    if isinstance(head, SCPHead) and head.pessl is not None:
        assert head.pessl.state.num_samples == 10


# The table of the published recipe: lr, gcn lr, hard_k, tau', top-K, lambda_cst,
# lambda_dstl, epochs, schedule, batch, decay of the average.
PUBLISHED = {
    'coco14': (3e-5, 1e-5, 2, 0.2, 62, 1 / 8, 1 / 8, 60, 80, 128),
    'voc12': (4e-5, 2e-4, 5, 0.3, 20, 1 / 8, 2 / 8, 120, 120, 128),
    'nus': (3e-5, 1e-4, 6, 0.2, 50, 1 / 8, 1 / 8, 60, 80, 128),
    'cub': (3e-4, 2e-4, 31, 0.3, 312, 1 / 8, 3 / 8, 100, 100, 96),
}


def recipe_of(config):
    """The values of a config that make a row of that table."""
    head = config.model.head
    return (
        config.optim_wrapper.optimizer.lr,
        config.optim_wrapper.paramwise_cfg.gcn_lr,
        head.pessl.hard_k,
        head.label_graph.temperature,
        head.label_graph.topk,
        head.pessl.loss_weight_cst,
        head.pessl.loss_weight_dstl,
        config.train_cfg.max_epochs,
        config.param_scheduler.total_epochs,
        config.train_dataloader.batch_size,
    )


def test_partial_voc_has_the_values_of_voc():
    path = 'scpnet/scpnet_clip-rn101_1xb32_voc07-partial.py'
    config = Config.fromfile(ROOT / 'configs' / path)
    assert recipe_of(config)[:-1] == PUBLISHED['voc12'][:-1]


@pytest.mark.parametrize('name', [n for n in CONFIGS if 'linear_rn' in n])
def test_fine_tuned_baselines_see_one_view_at_448(name):
    config = Config.fromfile(ROOT / 'configs' / name)
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        pipeline = config[key].dataset.pipeline
        assert 'MultiView' not in [step.type for step in pipeline]
        sizes = [step.scale for step in pipeline if 'scale' in step]
        assert sizes in ([448], [(448, 448)])


@pytest.mark.parametrize('name', [n for n in CONFIGS if n.endswith('-role.py')])
def test_estimates_of_role_learn_ten_times_as_fast(name, tmp_path):
    init_default_scope('mmscpnet')
    config = shrink(name, tmp_path)
    model = MODELS.build(config.model)
    model.head.loss_module.set_num_samples(4, model.head.num_classes)
    optim = build_optim_wrapper(model, config.optim_wrapper)
    rates = {
        id(parameter): group['lr']
        for group in optim.param_groups
        for parameter in group['params']
    }
    rate = rates[id(model.head.loss_module.estimates)]
    assert rate == pytest.approx(10 * config.optim_wrapper.optimizer.lr)


@pytest.mark.parametrize('suffix', ['', '_release'])
@pytest.mark.parametrize('name', PUBLISHED)
def test_published_values(name, suffix):
    row = PUBLISHED[name]
    path = f'scpnet/scpnet_clip-rn50_1xb{row[-1]}_{name}-spml{suffix}.py'
    config = Config.fromfile(ROOT / 'configs' / path)
    head, graph = config.model.head, config.model.head.label_graph
    assert recipe_of(config) == row
    assert graph.neighbor_weight == 0.2
    assert config.default_hooks.ema.decay_per_epoch == 0.82
    assert head.scale == ('clip' if (name, suffix) == ('nus', '_release') else 10)
    released = head.pessl.get('divergence') == 'cross_entropy'
    assert released == (suffix == '_release')
    assert head.association.get('matrix', 'normalized') == (
        'reweighted' if released else 'normalized'
    )
    assert ('frozen_norm' in config.default_hooks) == released
