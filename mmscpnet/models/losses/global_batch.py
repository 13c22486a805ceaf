"""The batch of all processes, for losses that look beyond their own part of it.

Each process computes the loss of its own images; the sum over the processes is the loss
of the global batch. mmengine's DistributedDataParallel averages gradients, for which
heads make up by a factor.

Where the images of an epoch cannot be shared out evenly, mmengine's sampler repeats the
first ones. A repeated image adds its loss again, but is one image to evaluation and to
what losses remember (its last pseudo-labels count). So runs with different numbers of
processes are equal only if these divide the number of images.
"""

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, all_reduce, get_world_size, is_distributed
from torch import Tensor


def gather_batch(*tensors: Tensor) -> list[Tensor]:
    """The rows of all processes, concatenated; a process may have fewer than others."""
    if not is_distributed():
        return list(tensors)
    counts = torch.cat(all_gather(torch.tensor([len(tensors[0])]))).tolist()
    return [_gather_rows(tensor, counts) for tensor in tensors]


def _gather_rows(tensor: Tensor, counts: list[int]) -> Tensor:
    missing = max(counts) - len(tensor)
    padded = F.pad(tensor, (0, 0) * (tensor.dim() - 1) + (0, missing)).contiguous()
    if padded.dtype == torch.bool:
        return _cut(all_gather(padded.view(torch.uint8)), counts).bool()
    return _cut(all_gather(padded), counts)


def _cut(parts: list[Tensor], counts: list[int]) -> Tensor:
    return torch.cat([part[:count] for part, count in zip(parts, counts)])


def count_images(logits: Tensor) -> int:
    """Images of the global batch.

    Args:
        logits: ``(n, C)``, of this process.
    """
    if not is_distributed():
        return len(logits)
    count = torch.tensor(len(logits))
    all_reduce(count)
    return int(count)


def sum_over_processes(value: Tensor) -> Tensor:
    """Sum of a tensor over all processes, with the gradient of this one's part."""
    if not is_distributed():
        return value
    total = value.detach().clone()
    all_reduce(total)
    return value + (total - value.detach())


def kth_largest(values: Tensor, count: int) -> Tensor:
    """The ``count``-th largest value of all processes, a scalar.

    Args:
        values: any shape; other processes may have more or fewer.
        count: from 1 to the number of values of all processes; the same on each.
    """
    largest = values.flatten().topk(min(count, values.numel())).values
    (largest,) = gather_batch(largest)
    return largest.topk(count).values[-1]


def global_losses(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses of this process's images -> those of the global batch.

    The value is the sum over all processes, so that a log shows it and all agree on
    whether it is finite. The gradient is that of the own part times the number of
    processes, which the average over processes turns into the gradient of the sum.
    """
    if not is_distributed():
        return losses
    own = torch.stack([value.float() for value in losses.values()])
    total = own.detach().clone()
    all_reduce(total)
    scaled = own * get_world_size()
    result = scaled + (total - scaled.detach())
    return dict(zip(losses, result.unbind()))


def mean_over_processes(statistics: dict[str, Tensor]) -> dict[str, Tensor]:
    """Means over the images of each process -> their mean over the processes."""
    if not is_distributed() or not statistics:
        return statistics
    values = torch.stack([value.detach().float() for value in statistics.values()])
    all_reduce(values, 'mean')
    return dict(zip(statistics, values.unbind()))
