"""The memory of PESSL: the last pseudo-labels of every training image."""

import torch
from torch import Tensor

from .global_batch import gather_batch


class PseudoLabelState:
    """Last pseudo-labels per image, a bit each, and their counts per label.

    Not made of module buffers on purpose: nothing that averages, broadcasts or swaps
    a model's tensors (EMA, DDP) may touch it.

    Args:
        num_samples: N, images of the training set.
        num_classes: C.

    Attributes:
        packed: ``(N, ceil(C / 8))`` uint8.
        counts: ``(C,)`` int64, how many images hold each pseudo-label now.
    """

    def __init__(self, num_samples: int, num_classes: int) -> None:
        self.num_samples = num_samples
        self.num_classes = num_classes
        self.packed = torch.zeros(
            num_samples, (num_classes + 7) // 8, dtype=torch.uint8
        )
        self.counts = torch.zeros(num_classes, dtype=torch.int64)

    def to(self, device: torch.device) -> None:
        """Move to ``device``, in place."""
        self.packed = self.packed.to(device)
        self.counts = self.counts.to(device)

    def update(self, sample_idx: Tensor, labels: Tensor) -> None:
        """Replace the pseudo-labels of some images.

        Under torch.distributed the images of all processes are entered everywhere, so
        each process has the same state.

        Args:
            sample_idx: ``(N,)`` int64. Of an image that occurs twice, the last counts.
            labels: ``(N, C)`` bool.
        """
        sample_idx, labels = gather_batch(sample_idx, labels)
        same = sample_idx[:, None] == sample_idx[None, :]
        order = torch.arange(len(sample_idx), device=sample_idx.device)
        last = (same * order).amax(dim=1)
        first_seen = (same.int().argmax(dim=1) == order)[:, None]

        labels = labels[last]
        before = unpack_bits(self.packed[sample_idx], self.num_classes)
        change = (labels.long() - before.long()) * first_seen
        self.counts += change.sum(dim=0)
        self.packed[sample_idx] = pack_bits(labels)

    def restore(self, packed: Tensor) -> None:
        """Take the bits of a checkpoint; the counts follow from them."""
        self.packed = packed.to(self.packed.device)
        self.num_samples = len(packed)
        self.counts = torch.zeros_like(self.counts)
        for rows in self.packed.split(65536):
            self.counts += unpack_bits(rows, self.num_classes).sum(dim=0)


def pack_bits(labels: Tensor) -> Tensor:
    """``(N, C)`` bool -> ``(N, ceil(C / 8))`` uint8, lowest bit first."""
    padding = -labels.size(1) % 8
    bits = torch.nn.functional.pad(labels.to(torch.uint8), (0, padding))
    weights = 2 ** torch.arange(8, device=labels.device)
    grouped = bits.view(len(labels), (labels.size(1) + 7) // 8, 8)
    return (grouped * weights).sum(dim=2).to(torch.uint8)


def unpack_bits(packed: Tensor, num_classes: int) -> Tensor:
    """``(N, ceil(C / 8))`` uint8 -> ``(N, C)`` bool."""
    shifts = torch.arange(8, device=packed.device, dtype=torch.uint8)
    bits = (packed[:, :, None] >> shifts) & 1
    return bits.flatten(1)[:, :num_classes].bool()
