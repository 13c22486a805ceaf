"""A running average of a model whose weights lie in shards."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.distributed.fsdp import FullyShardedDataParallel

from .averaged_model import averaged_names, move_averages, named_state


class ShardedAverage:
    r"""The average of :class:`AveragedState`, for FullyShardedDataParallel.

    Each process averages the shards that it has, so nothing is sent and memory is
    shared out as that of the weights. Buffers, which are not sharded, are averaged by
    each process.

    Args:
        model (FullyShardedDataParallel): With ``use_orig_params=True``.
        decay (float): d, above 0 and below 1.

    Attributes:
        averages (dict[str, Tensor]): Own shards and buffers, by their name in the
            wrapped model.
        steps (Tensor): Updates so far.

    Raises:
        ValueError: If parameters are not kept apart.
    """

    def __init__(self, model: FullyShardedDataParallel, decay: float) -> None:
        if not model._use_orig_params:
            raise ValueError(
                'ModelEMAHook averages sharded weights one by one: leave '
                'strategy.model_wrapper.use_orig_params at True'
            )
        self.model = model
        self.decay = decay
        self.steps = torch.tensor(0)
        self.averages = {n: t.detach().clone() for n, t in named_state(model)}
        self._averaged = averaged_names(self.averages.items())

    @torch.no_grad()
    def update_parameters(self, model: FullyShardedDataParallel) -> None:
        """Take the state of the model after an optimiser step into the average."""
        pairs = ((n, self.averages[n], source) for n, source in named_state(model))
        move_averages(pairs, self._averaged, self.decay)
        self.steps += 1

    @torch.no_grad()
    def swap_with(self, model: FullyShardedDataParallel) -> None:
        """Exchange the averaged state and the model's."""
        for name, source in named_state(model):
            kept = self.averages[name].clone()
            self.averages[name].copy_(source)
            source.copy_(kept)
        gather_anew(model)

    def named_averages(self) -> Iterable[tuple[str, Tensor]]:
        """Name in the wrapped model and average of each tensor of this process."""
        return self.averages.items()

    def whole_state_dict(self) -> dict[str, Tensor]:
        """Whole averages under their names in the model, on the first process.

        Each process must call; the keys are those of ``AveragedState``.
        """
        self.swap_with(self.model)
        state = {
            f'module.{name}': value.detach().cpu().clone()
            for name, value in self.model.state_dict().items()
            if torch.is_tensor(value)
        }
        self.swap_with(self.model)
        return {'steps': self.steps.clone(), **state}

    @torch.no_grad()
    def load_average(self, state: dict[str, Tensor]) -> None:
        """Set the average from a whole one, of which each process takes its part.

        Raises:
            ValueError: If a tensor is missing or has another shape.
        """
        model = self.model
        plain = {name: tensor.clone() for name, tensor in named_state(model)}
        state = {k: v for k, v in state.items() if not k.endswith('_extra_state')}
        try:
            found = model.load_state_dict(state, strict=False)
        except RuntimeError as error:
            raise ValueError(
                'the averaged weights of the checkpoint do not fit the model: resume '
                f'with the model config of the first run. {error}'
            ) from error
        missing = [k for k in found.missing_keys if not k.endswith('_extra_state')]
        if missing:
            raise ValueError(
                'the averaged weights of the checkpoint do not fit the model: '
                f'{", ".join(missing[:5])} (missing); resume with the model config of '
                'the first run'
            )
        for name, tensor in named_state(model):
            self.averages[name].copy_(tensor)
            tensor.copy_(plain[name])
        gather_anew(model)


def gather_anew(model: FullyShardedDataParallel) -> None:
    """Have the next forward pass gather the shards, as they have been written.

    After an evaluation the outermost unit keeps what it has gathered.
    """
    for unit in FullyShardedDataParallel.fsdp_modules(model):
        if unit._handle is not None:
            unit._handle.reshard(True)
