"""A running average of the whole state of a model."""

from collections.abc import Iterable, Iterator

import torch
import torch.nn as nn
from mmengine.model import BaseAveragedModel
from mmengine.runner.checkpoint import weights_to_cpu
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


def named_state(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and persistent buffers of a model, each tensor once.

    That is ``state_dict()`` without what modules keep as extra state (per-image
    pseudo-labels, say), which is not a weight and must not be averaged.

    Args:
        model (nn.Module): The model.

    Yields:
        tuple[str, Tensor]: Name as in ``state_dict()`` and the tensor itself.
    """
    yield from model.named_parameters()
    derived = {
        f'{prefix}.{name}' if prefix else name
        for prefix, module in model.named_modules()
        for name in module._non_persistent_buffers_set
    }
    for name, buffer in model.named_buffers():
        if name not in derived:
            yield name, buffer


def averaged_names(state: Iterable[tuple[str, Tensor]]) -> set[str]:
    """Which tensors of a state are interpolated; the others are copied.

    Whole numbers cannot be, nor can buffers that hold an infinity (attention masks):
    inf - inf is not a number.
    """
    return {
        name
        for name, tensor in state
        if tensor.is_floating_point() and bool(torch.isfinite(tensor).all())
    }


def move_averages(
    averages: Iterable[tuple[str, Tensor, Tensor]], averaged: set[str], decay: float
) -> None:
    """Take a step of the exponential moving average, in place.

    Args:
        averages: name, average and source of each tensor of the state.
        averaged: names of :func:`averaged_names`.
        decay: d.
    """
    targets, sources = [], []
    for name, average, source in averages:
        if isinstance(source, nn.Parameter) and not source.requires_grad:
            continue  # equal to its average
        if name in averaged:
            targets.append(average)
            sources.append(source.to(average.device))
        else:
            average.copy_(source)
    if targets:
        # All in one call: one at a time takes several times as long.
        get_ema_multi_avg_fn(decay)(targets, sources, None)


class AveragedState(BaseAveragedModel):
    r"""Exponential moving average of parameters and persistent buffers.

    After the t-th step of the source model,

    .. math::
        \bar\theta_t = d \, \bar\theta_{t-1} + (1 - d) \, \theta_t ,
        \qquad \bar\theta_0 = \theta_0 .

    There is no warm-up: the average starts from the weights before the first
    step. Buffers of whole numbers are copied, and so are buffers that hold an
    infinity (attention masks). Buffers that are not persistent are derived from
    the others and are left alone, and so are parameters while they are frozen.

    A module that shares something with its copy defines
    ``share_in_ema(source_module)``, which is called on the copy.

    Args:
        model (nn.Module): The model; a copy is made.
        decay (float): d, above 0 and below 1.

    Raises:
        ValueError: If ``decay`` is not between 0 and 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f'decay must be above 0 and below 1, found {decay!r}')
        super().__init__(model)
        self.decay = decay
        sources = dict(model.named_modules())
        for name, module in self.module.named_modules():
            if callable(getattr(module, 'share_in_ema', None)):
                module.share_in_ema(sources[name])
        self._averaged = averaged_names(named_state(self.module))
        self._paired: tuple[nn.Module, list] | None = None

    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps) -> None:
        """Move one tensor, as mmengine's base class asks; see :func:`move_averages`."""
        averaged_param.lerp_(source_param, 1 - self.decay)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take the state of the model after an optimiser step into the average.

        Args:
            model (nn.Module): The source model.
        """
        move_averages(self._pairs(model), self._averaged, self.decay)
        self.steps += 1

    @torch.no_grad()
    def swap_with(self, model: nn.Module) -> None:
        """Exchange the averaged state and the model's, in place.

        The tensors stay the same objects and their version counters rise, so
        whatever is cached from them can notice.

        Args:
            model (nn.Module): The source model.
        """
        for _, average, source in self._pairs(model):
            kept = average.clone()
            average.copy_(source)
            source.copy_(kept)

    def named_averages(self) -> Iterator[tuple[str, Tensor]]:
        """Name in the model and average of each tensor."""
        return named_state(self.module)

    def whole_state_dict(self) -> dict[str, Tensor]:
        """``state_dict()`` on the CPU, as a checkpoint has it."""
        return weights_to_cpu(self.state_dict())

    @torch.no_grad()
    def load_average(self, state: dict[str, Tensor]) -> None:
        """Set the average from a checkpoint.

        Args:
            state (dict[str, Tensor]): State dict of the averaged weights; extra
                state in it is not touched.

        Raises:
            ValueError: If a tensor is missing or has another shape.
        """
        # A module may keep weights that never change out of its state dict.
        saved = self.module.state_dict().keys()
        targets = [pair for pair in named_state(self.module) if pair[0] in saved]
        wrong: list[str] = []
        for name, average in targets:
            if name not in state:
                wrong.append(f'{name} (missing)')
            elif state[name].shape != average.shape:
                wrong.append(
                    f'{name} ({tuple(state[name].shape)} in the checkpoint, '
                    f'{tuple(average.shape)} in the model)'
                )
        if wrong:
            raise ValueError(
                f'the averaged weights of the checkpoint do not fit the model: '
                f'{", ".join(wrong[:5])}{" ..." if len(wrong) > 5 else ""}; resume '
                'with the model config of the first run'
            )
        for name, average in targets:
            average.copy_(state[name])

    def _pairs(self, model: nn.Module) -> list[tuple[str, Tensor, Tensor]]:
        # To walk through all modules takes longer than a small head's step.
        if self._paired is None or self._paired[0] is not model:
            sources = dict(named_state(model))
            pairs = [(n, a, sources[n]) for n, a in named_state(self.module)]
            self._paired = (model, pairs)
        return self._paired[1]
