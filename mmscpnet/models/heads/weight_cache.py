"""A value that follows from weights, kept until they change."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional

import torch
from torch import Tensor, nn


class WeightCache:
    """Keeps one value until a parameter or buffer that it was made of changes.

    Noticed are: a write in place (optimiser step, ``load_state_dict``, EMA swap), other
    tensors in place of them (``.to()``, ``load_state_dict(assign=True)``, another
    submodule), and another autocast. A write through ``.data`` leaves no trace, so the
    owner calls :meth:`clear` whenever it changes between training and evaluation.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the value."""
        self._state: Optional[tuple] = None
        self._value: Any = None
        self._memory: list = []

    def __deepcopy__(self, memo: dict) -> 'WeightCache':
        # The copy of a model has weights of its own.
        return WeightCache()

    # Versions and addresses of tensors are nothing that could be compiled.
    @torch.compiler.disable
    def get(
        self, modules: Sequence[Optional[nn.Module]], compute: Callable[[], Tensor]
    ) -> Tensor:
        """The value; ``compute()`` is called if it is not there or not up to date."""
        state = tuple(_describe(t) for m in modules if m for t in _tensors(m))
        if state:
            device = state[0][2].type
            if torch.amp.is_autocast_available(device):
                enabled = torch.is_autocast_enabled(device)
                state += (enabled and torch.get_autocast_dtype(device),)
        if state != self._state:
            self._value, self._state = compute(), state
            # While it is held, no other weights can be given the same address.
            self._memory = [
                t.untyped_storage()
                for m in modules
                if m
                for t in _tensors(m)
                if _plain(t)
            ]
        return self._value


def _describe(tensor: Tensor) -> tuple:
    version = -1 if tensor.is_inference() else tensor._version
    address = tensor.data_ptr() if _plain(tensor) else 0
    return id(tensor), version, tensor.device, tensor.dtype, address


def _plain(tensor: Tensor) -> bool:
    # Wrappers (fake, sharded) have no address.
    return type(tensor) in (Tensor, nn.Parameter, nn.Buffer)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    # As parameters() and buffers(), without names and sets: this runs every batch.
    todo = [module]
    while todo:
        current = todo.pop()
        for tensors in (current._parameters, current._buffers):
            yield from (tensor for tensor in tensors.values() if tensor is not None)
        todo.extend(child for child in current._modules.values() if child is not None)
