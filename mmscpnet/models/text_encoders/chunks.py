"""Prompts of many labels in pieces, so that their gradient needs bounded memory."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmscpnet.models.utils import index_tensor


def check_chunk(chunk_positions: int | None, where: str) -> None:
    """Refuse a size of pieces that is not positive."""
    if chunk_positions is not None and chunk_positions < 1:
        raise ValueError(
            f'{where}: chunk_positions must be at least 1, or None for no pieces; '
            f'found {chunk_positions}'
        )


def encode_in_chunks(
    encode: Callable[[Tensor, Sequence[Tensor]], Tensor],
    prefix: Tensor,
    suffixes: Sequence[Tensor],
    positions: Sequence[int],
    limit: int | None,
) -> Tensor:
    """``encode(prefix, suffixes)``, in pieces if it takes too many positions.

    The activations of a piece are dropped and computed again in the backward pass, so
    at any time there are those of one piece. Values and gradient are the same.

    Args:
        encode: ``(P, width)`` and n tensors ``(L_i, width)`` -> ``(n, D)``; without
            anything random.
        prefix: ``(P, width)``.
        suffixes: C tensors ``(L_i, width)``.
        positions: How many positions of the tower each prompt takes.
        limit: Positions of a piece (a longer prompt is a piece of its own); None for
            no pieces.

    Returns:
        ``(C, D)``, in the order of ``suffixes``.
    """
    if limit is None or sum(positions) <= limit:
        return encode(prefix, suffixes)
    # Prompts of one length next to each other: pieces pad and group the least.
    order = sorted(range(len(suffixes)), key=lambda i: positions[i])
    pieces, room = [], 0
    for i in order:
        if positions[i] > room:
            pieces.append([])
            room = limit
        pieces[-1].append(i)
        room -= positions[i]

    # Closed over, not given: checkpoint looks at every argument it is given.
    def run(piece: list[int]) -> Tensor:
        return encode(prefix, [suffixes[i] for i in piece])

    if torch.is_grad_enabled():
        features = [
            checkpoint(run, piece, use_reentrant=False, preserve_rng_state=False)
            for piece in pieces
        ]
    else:
        features = [run(piece) for piece in pieces]
    back = index_tensor(order, prefix.device).argsort()
    return torch.cat(features)[back]
