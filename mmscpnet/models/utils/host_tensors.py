"""Small tensors that the host makes for a device."""

from collections.abc import Sequence

import torch
from torch import Tensor


def index_tensor(values: Sequence[int], device: torch.device) -> Tensor:
    """Whole numbers as a tensor on a device, without waiting for that device.

    Args:
        values: n numbers.
        device: where to.

    Returns:
        ``(n,)`` int64.
    """
    tensor = torch.tensor(list(values), dtype=torch.long)
    if device.type == 'cuda':
        # From ordinary memory the copy waits for all that the device has yet to do.
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
