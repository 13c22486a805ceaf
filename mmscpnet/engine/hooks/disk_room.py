"""Is there room for a checkpoint? Asked before hours of training."""

import errno
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import EMAHook
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel


def checkpoint_size(runner, with_optimizer: bool) -> int:
    """About how many bytes a checkpoint takes: weights, averages, optimiser, memory.

    Args:
        runner (Runner): Ready to train.
        with_optimizer (bool): Whether the state of the optimiser is saved.
    """
    # Not of the state dict, which a sharded model gathers from all processes.
    shards = get_world_size() if _is_sharded(runner.model) else 1
    parameters = list(runner.model.parameters())
    weights = _num_bytes(parameters) * shards + _num_bytes(runner.model.buffers())
    if any(isinstance(hook, EMAHook) for hook in runner.hooks):
        weights *= 2
    optimizer = getattr(runner.optim_wrapper, 'optimizer', None)
    if with_optimizer and optimizer is not None:
        # Adam and its kin keep two numbers for each weight, momentum is one.
        options = optimizer.defaults
        moments = 2 if 'betas' in options else int(bool(options.get('momentum')))
        weights += (
            moments * shards * _num_bytes(p for p in parameters if p.requires_grad)
        )
    memory = (
        module.get_extra_state()
        for module in runner.model.modules()
        if type(module).get_extra_state is not nn.Module.get_extra_state
    )
    return weights + _num_bytes(state for state in memory if torch.is_tensor(state))


def _is_sharded(model: nn.Module) -> bool:
    return isinstance(model, FullyShardedDataParallel)


def _num_bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def check_room(folder: Path, needed: int) -> None:
    """Refuse to train where no checkpoint could be saved.

    Raises:
        OSError: The disk of the folder has less than ``needed`` bytes left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f'{folder} has {free / 1e9:.3f} GB left, and a checkpoint takes '
            f'{needed / 1e9:.3f} GB, with averaged weights and optimiser. Make room, '
            'or name another folder by --work-dir',
        )
