"""Parameters, gradients and optimiser state in shards, a part on each process."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial

import torch
from mmengine._strategy import FSDPStrategy
from mmengine.device import get_device
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.fsdp.wrap import lambda_auto_wrap_policy

from mmscpnet.registry import STRATEGIES


@STRATEGIES.register_module()
class SCPNetFSDPStrategy(FSDPStrategy):
    """mmengine's ``FSDPStrategy`` for models of which only a part is in units.

    A unit is gathered when its own ``forward`` is called. The text tower is not
    run through the ``forward`` of its blocks (start token and soft tokens are shared),
    so that only the modules named here become units; all else is gathered during a
    whole step.

    Also: the optimiser state is saved and loaded by torch's present interface, and
    CPUs do. Checkpoints hold the whole model, as without sharding.

    Args:
        wrap (Sequence[str]): Patterns of module names that become units, such as
            ``'backbone.visual.transformer.resblocks.*'``; a ``*`` stands for one part
            of a name.
        **kwargs: As in mmengine's, with ``state_dict_cfg='full'`` as default.

    Raises:
        ValueError: In a single process; when the model is built, if a pattern fits no
            module.
    """

    def __init__(self, *, wrap: Sequence[str] = (), **kwargs) -> None:
        if (kwargs.get('env_kwargs') or {}).get('launcher', 'none') == 'none':
            raise ValueError(
                'SCPNetFSDPStrategy needs several processes: use tools/dist_train.sh. '
                'In one, use the config without runner_type and strategy; checkpoints '
                'of both fit'
            )
        kwargs.setdefault('state_dict_cfg', 'full')
        super().__init__(**kwargs)
        self.wrap = tuple(wrap)

    def _wrap_model(self, model: nn.Module) -> nn.Module:
        wrapper = dict(self.model_wrapper or {})
        units = find_modules(model, self.wrap)
        wrapper.setdefault(
            'auto_wrap_policy',
            partial(lambda_auto_wrap_policy, lambda_fn=units.__contains__),
        )
        if get_device() == 'cpu':
            wrapper['device_id'] = torch.device('cpu')
        self.model_wrapper = wrapper
        return super()._wrap_model(model)

    def optim_state_dict(self) -> dict:
        """State of the optimiser, whole, on the first process."""
        extra = self.optim_wrapper.state_dict()
        state = self._gather(extra)
        # what the wrapper adds, the scale of mixed precision for one
        for key in extra.keys() - {'state', 'param_groups'}:
            state[key] = extra[key]
        return state

    def _gather(self, own: dict) -> dict:
        """Whole state from the shards, one kind of tensor after the other.

        torch gathers all kinds into one piece of memory and, on a CPU, copies none
        out of it: each would be what the last one is.
        """
        kinds = {kind for entries in own['state'].values() for kind in entries}
        whole: dict = {}
        for kind in sorted(kinds):
            state = {
                i: {kind: entries[kind]}
                for i, entries in own['state'].items()
                if kind in entries
            }
            part = FullyShardedDataParallel.optim_state_dict(
                self.model,
                self.optim_wrapper.optimizer,
                dict(state=state, param_groups=own['param_groups']),
            )
            whole.setdefault('param_groups', part.get('param_groups'))
            for name, entries in part.get('state', {}).items():
                whole.setdefault('state', {}).setdefault(name, {}).update(entries)
        return whole

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Take the state of a checkpoint."""
        known = {'state', 'param_groups'}
        sharded = FullyShardedDataParallel.optim_state_dict_to_load(
            self.model,
            self.optim_wrapper.optimizer,
            {key: state_dict[key] for key in known},
        )
        for key in state_dict.keys() - known:
            sharded[key] = state_dict[key]
        self.optim_wrapper.load_state_dict(sharded)


def find_modules(model: nn.Module, patterns: Sequence[str]) -> set[nn.Module]:
    """Modules whose names fit.

    Args:
        model (nn.Module): The model.
        patterns (Sequence[str]): Names, in which a ``*`` stands for one part.

    Raises:
        ValueError: If a pattern fits none.
    """
    found = set()
    for pattern in patterns:
        depth = pattern.count('.')
        fitting = [
            module
            for name, module in model.named_modules()
            if name.count('.') == depth and fnmatchcase(name, pattern)
        ]
        if not fitting:
            raise ValueError(
                f'strategy.wrap: {pattern!r} fits no module of the model; the parts of '
                f'the backbone are {[n for n, _ in model.backbone.named_children()]}'
            )
        found.update(fitting)
    return found


def original_name(name: str) -> str:
    """Name of a parameter or module without the wrappers around its parents."""
    return name.replace('_fsdp_wrapped_module.', '')


def original_dims(model: nn.Module) -> dict[str, int]:
    """Dimensions of each parameter, before it became a part of a flat vector.

    Args:
        model (nn.Module): Wrapped or not. Of a sharded model each process must call.

    Returns:
        dict[str, int]: Name -> dimensions; empty if nothing is sharded.
    """
    if not isinstance(model, FullyShardedDataParallel):
        return {}
    with FullyShardedDataParallel.summon_full_params(model, writeback=False):
        return {original_name(n): p.ndim for n, p in model.named_parameters()}
