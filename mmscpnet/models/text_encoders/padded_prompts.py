"""Prompts through any text tower, over its full padded context.

For towers in which padding matters: without a causal mask, or with another pooling than
at the end token. The tower's own forward pass runs, with its token embeddings replaced,
so that masks, pooling and projection are the tower's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Optional

import torch
from open_clip.transformer import TextTransformer
from torch import Tensor, nn


def token_embedding(tower: nn.Module) -> Optional[nn.Module]:
    """The module that turns token ids into embeddings; None if there is none to see."""
    if isinstance(tower, TextTransformer):
        return tower.token_embedding
    getter = getattr(getattr(tower, 'transformer', None), 'get_input_embeddings', None)
    return getter() if getter is not None else None


def encode_padded(
    tower: nn.Module,
    prefix: Tensor,
    suffixes: Sequence[Tensor],
    context_length: int,
    end_id: int,
    pad_id: int,
) -> Tensor:
    """Features of prompts ``prefix + suffixes[i]``, padded to the full context.

    Args:
        tower: A text tower of open_clip that takes token ids ``(C, context)``.
        prefix: ``(P, width)`` token embeddings.
        suffixes: C tensors ``(L_i, width)``; the last row is the end token.
        context_length: Positions of the context.
        end_id: Id of the end token, where towers look for it.
        pad_id: Id of the padding.

    Returns:
        ``(C, D)``.
    """
    embedding = token_embedding(tower)
    length = context_length
    ids = torch.full((len(suffixes), length), pad_id, device=prefix.device)
    inner = _ordinary_id(tower, end_id, pad_id)
    for row, suffix in zip(ids, suffixes):
        used = len(prefix) + len(suffix)
        row[: used - 1] = inner
        row[used - 1] = end_id
    padding = embedding(ids.new_full((length,), pad_id)).detach()
    rows = [
        torch.cat([prefix, suffix, padding[len(prefix) + len(suffix) :]])
        for suffix in suffixes
    ]
    with _output_replaced(embedding, torch.stack(rows)):
        return tower(ids)


def _ordinary_id(tower: nn.Module, end_id: int, pad_id: int) -> int:
    """An id that no tower takes for padding or an end (argmax takes the largest)."""
    special = {end_id, pad_id, getattr(tower, 'pad_id', pad_id)}
    special.add(getattr(tower, 'eos_id', end_id))
    return next(i for i in range(len(special) + 1) if i not in special)


@contextmanager
def _output_replaced(module: nn.Module, value: Tensor) -> Iterator[None]:
    handle = module.register_forward_hook(lambda *_: value)
    try:
        yield
    finally:
        handle.remove()
