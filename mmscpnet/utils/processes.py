"""Several processes without a GPU, which MMEngine alone does not start."""

import datetime
import logging
import os

CPU_LAUNCHER = 'pytorch'
CPU_BACKEND = 'gloo'


def on_cpu() -> bool:
    """Whether MMEngine would run on the CPU."""
    from mmengine.device import get_device

    return get_device() == 'cpu'


def check_launcher(cfg) -> None:
    """Refuse a launcher that cannot work here, before anything is built.

    Args:
        cfg (Config): With ``launcher`` and ``env_cfg``.

    Raises:
        ValueError: If processes are to run on CPUs, but not by torchrun and gloo, or
            if torchrun has not started this one.
    """
    if cfg.get('launcher', 'none') == 'none':
        return
    if cfg.launcher == CPU_LAUNCHER and 'RANK' not in os.environ:
        raise ValueError(
            '--launcher pytorch is for processes that torchrun has started. Use '
            'tools/dist_train.sh or tools/dist_test.sh.'
        )
    if not on_cpu():
        return
    if cfg.launcher != CPU_LAUNCHER:
        raise ValueError(
            f'--launcher {cfg.launcher} needs GPUs, and none was found. On CPUs use '
            'tools/dist_train.sh or tools/dist_test.sh.'
        )
    backend = _dist_cfg(cfg).get('backend')
    if backend != CPU_BACKEND:
        raise ValueError(
            f'env_cfg.dist_cfg.backend={backend!r} needs GPUs, and none was found. '
            'Processes on CPUs talk through gloo: add --cfg-options '
            f'env_cfg.dist_cfg.backend={CPU_BACKEND}'
        )


def prepare_cpu_processes(cfg) -> None:
    """Join the other processes, and change what the config means for GPUs.

    MMEngine selects a GPU when it initialises torch.distributed and names it to
    DistributedDataParallel; both fail without one. ``sync_bn`` has no implementation
    on CPUs: batch norm that is trained uses the statistics of each process.

    Args:
        cfg (Config): Changed in place; nothing happens with one process or on GPUs.
    """
    if cfg.get('launcher', 'none') == 'none' or not on_cpu():
        return
    import torch.distributed
    from mmengine.logging import print_log

    if not torch.distributed.is_initialized():
        options = _dist_cfg(cfg)
        if 'timeout' in options:
            options['timeout'] = datetime.timedelta(seconds=options['timeout'])
        torch.distributed.init_process_group(**options)
    if 'runner_type' not in cfg:
        wrapper = dict(type='MMDistributedDataParallel', broadcast_buffers=False)
        unused = cfg.get('find_unused_parameters', False)
        wrapper['find_unused_parameters'] = unused
        wrapper.update(cfg.get('model_wrapper_cfg') or {})
        wrapper['device_ids'] = None
        cfg.model_wrapper_cfg = wrapper
    if cfg.get('sync_bn') is not None:
        print_log(
            'sync_bn needs GPUs: batch norm that is trained takes its statistics from '
            'the images of each process alone',
            level=logging.WARNING,
        )
        cfg.sync_bn = None


def _dist_cfg(cfg) -> dict:
    return dict((cfg.get('env_cfg') or {}).get('dist_cfg') or {})
