"""Position embeddings of image towers at another input size."""

import math
from types import SimpleNamespace
from typing import Optional

import torch
from mmengine.logging import print_log
from open_clip.model import resize_pos_embed
from torch import Tensor, nn


def resize_position_embedding(embedding: Tensor, grid: tuple[int, int]) -> Tensor:
    """Resize a position embedding as open_clip does: bicubic, antialiased.

    Args:
        embedding: ``(1 + h * h, W)``; the first row (class token, or the mean in
            attention pooling) has no place in the grid and is kept.
        grid: New height and width in patches.

    Returns:
        ``(1 + grid[0] * grid[1], W)`` in the dtype of ``embedding``.

    Raises:
        ValueError: The old grid is not square, so its sides are unknown.
    """
    side = math.isqrt(len(embedding) - 1)
    if side * side != len(embedding) - 1:
        raise ValueError(
            f'a position embedding of {len(embedding)} rows is not of a square image: '
            'its grid is unknown, so it can not be resized'
        )
    key = 'visual.positional_embedding'
    state = {key: embedding.float()}
    # open_clip's function looks up nothing but the grid of the model.
    resize_pos_embed(state, SimpleNamespace(visual=SimpleNamespace(grid_size=grid)))
    return state[key].to(embedding.dtype)


def fit_position_embedding(
    state: dict[str, Tensor], prefix: str, visual: nn.Module, grid: Optional[tuple]
) -> None:
    """Resize the position embedding in a state dict to what the tower has.

    Args:
        state: State dict, changed in place.
        prefix: What stands before the tower's own keys, e.g. ``'visual.'``.
        visual: The image tower.
        grid: Its grid (height, width) in patches; None for towers without one.
    """
    for name in ('positional_embedding', 'attnpool.positional_embedding'):
        old, own = state.get(prefix + name), _find(visual, name)
        if old is None or own is None or old.shape == own.shape:
            continue
        if old.dim() != 2 or old.shape[1] != own.shape[1]:
            continue  # another architecture: the loader reports it
        state[prefix + name] = resize_position_embedding(old, grid)
        _report(prefix + name, old.shape, own.shape)
    _fit_timm(state, prefix + 'trunk.pos_embed', visual)


def _fit_timm(state: dict[str, Tensor], key: str, visual: nn.Module) -> None:
    old, own = state.get(key), _find(visual, 'trunk.pos_embed')
    if old is None or own is None or old.shape == own.shape or old.dim() != 3:
        return
    from timm.layers import resample_abs_pos_embed

    trunk = visual.trunk
    no_prefix = getattr(trunk, 'no_embed_class', False)
    state[key] = resample_abs_pos_embed(
        old,
        new_size=list(trunk.patch_embed.grid_size),
        num_prefix_tokens=0 if no_prefix else trunk.num_prefix_tokens,
    )
    _report(key, old.shape, state[key].shape)


def _find(module: nn.Module, name: str) -> Optional[Tensor]:
    for part in name.split('.'):
        module = getattr(module, part, None)
    return module if isinstance(module, torch.Tensor) else None


def _report(key: str, old: torch.Size, new: torch.Size) -> None:
    print_log(
        f'Position embedding {key} resized from {tuple(old)} to {tuple(new)}: the '
        'weights are of another image size',
        logger='current',
    )
