"""What a config becomes for several processes on a CPU."""

import pytest
import torch
from mmengine.config import Config

from mmscpnet.utils import processes


@pytest.fixture(autouse=True)
def without_gpus(monkeypatch):
    monkeypatch.setattr(processes, 'on_cpu', lambda: True)
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: True)


def config(**settings):
    return Config(dict(launcher='pytorch', sync_bn='torch', **settings))


def test_one_process_stays_as_it_is():
    cfg = Config(dict(launcher='none', sync_bn='torch'))
    processes.check_launcher(cfg)
    processes.prepare_cpu_processes(cfg)
    assert cfg.sync_bn == 'torch' and 'model_wrapper_cfg' not in cfg


def test_gpus_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(processes, 'on_cpu', lambda: False)
    monkeypatch.setenv('RANK', '0')
    cfg = config()
    processes.check_launcher(cfg)
    processes.prepare_cpu_processes(cfg)
    assert cfg.sync_bn == 'torch' and 'model_wrapper_cfg' not in cfg


def test_wrapper_on_cpus():
    cfg = config(find_unused_parameters=True)
    processes.prepare_cpu_processes(cfg)
    wrapper = cfg.model_wrapper_cfg
    assert wrapper.device_ids is None and wrapper.find_unused_parameters is True
    assert wrapper.broadcast_buffers is False and cfg.sync_bn is None
    # what a config says stays
    cfg = config(model_wrapper_cfg=dict(static_graph=True))
    processes.prepare_cpu_processes(cfg)
    assert cfg.model_wrapper_cfg.static_graph is True
    # a strategy has a wrapper of its own
    cfg = config(runner_type='FlexibleRunner')
    processes.prepare_cpu_processes(cfg)
    assert 'model_wrapper_cfg' not in cfg


@pytest.mark.parametrize('backend', [None, 'nccl'])
def test_backend_is_named(backend, monkeypatch):
    monkeypatch.setenv('RANK', '0')
    cfg = config(env_cfg=dict(dist_cfg=dict(backend=backend)))
    with pytest.raises(ValueError, match='env_cfg.dist_cfg.backend=gloo'):
        processes.check_launcher(cfg)
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    processes.check_launcher(cfg)
