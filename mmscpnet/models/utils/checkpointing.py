"""Gradient checkpointing of modules with batch norm."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


# torch.compile does not know a context for the second pass: it steps around.
@torch.compiler.disable
def checkpoint_module(module: nn.Module, x: Tensor) -> Tensor:
    """``module(x)`` that recomputes its activations in the backward pass.

    The second pass over the batch leaves the running statistics of batch norm alone,
    so they are what they would be without checkpointing.

    Args:
        module: Called with one tensor.
        x: Its input.
    """
    return checkpoint(
        module,
        x,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), _still_batch_norm(module)),
    )


@contextmanager
def _still_batch_norm(module: nn.Module) -> Iterator[None]:
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    kept = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        # The running statistics keep all of their old value; the count stands still.
        norm.momentum = 0.0
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, momentum, count in kept:
            norm.momentum = momentum
            norm.num_batches_tracked = count
