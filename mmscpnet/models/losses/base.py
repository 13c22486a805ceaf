"""What a classification loss of this package promises."""

import logging
from typing import Optional

import torch
from mmengine.logging import print_log
from torch import Tensor, nn


class IncompleteLabelLoss(nn.Module):
    """A loss that knows the three states of a label: 1, 0 and -1 (unknown).

    Heads call it with the epoch (0-based); what it does with -1 stands in the
    docstring of each subclass. The result is summed over images and labels; where a
    paper takes the mean, its learning rates are for the mean.
    """

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """``(N, C)`` logits and targets -> scalar."""
        raise NotImplementedError


class PerImageLoss(IncompleteLabelLoss):
    """A loss that remembers something about every training image.

    Heads call it with the ``sample_idx`` of the images too. ``LabelCheckHook`` says
    how many there are. An averaged copy of the model has no memory of its own.

    Args:
        num_samples: images of the training set; None to be told before training.
    """

    def __init__(self, num_samples: Optional[int] = None) -> None:
        super().__init__()
        self.num_samples = num_samples or 0
        self._waiting: Optional[Tensor] = None

    def allocate(self, num_samples: int, num_classes: int) -> None:
        """Make room; called once, before the first step."""
        raise NotImplementedError

    def memory(self) -> Optional[Tensor]:
        """What a checkpoint keeps; its second last dimension is the image."""
        raise NotImplementedError

    def recall(self, memory: Tensor) -> None:
        """Take the memory of a checkpoint, of the right shape."""
        raise NotImplementedError

    def set_num_samples(self, num_samples: int, num_classes: int) -> None:
        """Make room for a training set, if that has not been done for it."""
        memory = self.memory()
        if memory is None or memory.shape[-2] != num_samples:
            self.num_samples = num_samples
            self.allocate(num_samples, num_classes)
        if self._waiting is not None:
            state, self._waiting = self._waiting, None
            self.set_extra_state(state)

    def check_index(self, sample_idx: Optional[Tensor]) -> Tensor:
        """Refuse images that there is no room for.

        Raises:
            ValueError: no index, no room yet, or an index outside of it.
        """
        name = type(self).__name__
        if sample_idx is None:
            raise ValueError(f'{name} needs the sample_idx of each image')
        if self.memory() is None:
            raise ValueError(
                f'{name}: num_samples is not known. Add '
                "dict(type='LabelCheckHook') to custom_hooks, which reads it from the "
                'training set'
            )
        # On another device this would wait for it; heads pass the index on the CPU.
        if sample_idx.device.type == 'cpu' and (
            sample_idx.min() < 0 or sample_idx.max() >= self.num_samples
        ):
            raise ValueError(
                f'{name}: sample_idx {sample_idx.min()} to {sample_idx.max()} does '
                f'not fit num_samples={self.num_samples}'
            )
        return sample_idx

    def get_extra_state(self) -> Tensor:
        """The memory; empty before training."""
        memory = self.memory()
        return torch.zeros(0, 0) if memory is None else memory

    def set_extra_state(self, state: Tensor) -> None:
        """Take the memory of a checkpoint; that of other images is left out."""
        memory = self.memory()
        if not state.numel():
            return
        if memory is None:
            # FlexibleRunner loads a checkpoint before it tells the number of images.
            self._waiting = state
            return
        if state.shape == memory.shape:
            self.recall(state.to(memory.device))
            return
        print_log(
            f'{type(self).__name__}: the checkpoint remembers {tuple(state.shape)}, '
            f'another training set than the present one ({tuple(memory.shape)}); that '
            'is left out and learnt anew',
            logger='current',
            level=logging.WARNING,
        )
