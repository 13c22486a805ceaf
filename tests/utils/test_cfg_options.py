"""Overrides that would change nothing are refused, before anything runs."""

import pytest
from mmengine.config import Config

from mmscpnet.utils.cfg_options import merge_options
from tests.shared import ROOT


@pytest.fixture
def cfg():
    name = 'scpnet_clip-rn50_1xb128_coco14-spml.py'
    return Config.fromfile(ROOT / 'configs' / 'scpnet' / name)


def test_settings_arrive(cfg):
    options = {
        'optim_wrapper.optimizer.lr': 0.5,
        'train_dataloader.dataset.data_root': 'there/',
        'find_unused_parameters': True,
    }
    merge_options(cfg, options)
    assert cfg.optim_wrapper.optimizer.lr == 0.5 and cfg.find_unused_parameters
    assert cfg.train_dataloader.dataset.data_root == 'there/'
    before = cfg.to_dict()
    merge_options(cfg, None)
    assert cfg.to_dict() == before


@pytest.mark.parametrize(
    'key, place',
    [
        ('data_root', 'train_dataloader.dataset.data_root'),
        ('clip.pretrained', 'model.backbone'),
        ('classes', 'model.head.classes'),
        ('weak_view.0.scale', 'train_dataloader.dataset.pipeline.1.transforms.0'),
    ],
)
def test_variables_are_refused_and_their_places_named(cfg, key, place):
    before = cfg.to_dict()
    with pytest.raises(ValueError, match='is a variable of the config file') as error:
        merge_options(cfg, {key: 'x'})
    assert str(error.value).startswith(f'{key}: ') and place in str(error.value)
    assert cfg.to_dict() == before


def test_names_that_nothing_reads(cfg):
    with pytest.raises(ValueError, match="setting 'optim_wraper'.*'optim_wrapper'"):
        merge_options(cfg, {'optim_wraper.optimizer.lr': 1.0})
