"""Prompts through a causal text tower, at the positions that matter only.

In a causal tower no position sees a later one. So padding after the end token can not
change the feature, which is read at the end token; and a beginning that all prompts
share has the same activations in each of them. Here the shared beginning is computed
once, the rest of all prompts is packed into one matrix without padding, and the last
layer is computed at the end tokens alone. The result is that of the full context.
"""

from collections.abc import Sequence
from typing import NamedTuple, Union

import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock, TextTransformer
from torch import Tensor, nn

from mmscpnet.models.utils import index_tensor


class Layout(NamedTuple):
    """Where the prompts lie in the packed rows.

    Attributes:
        prefix: P, rows of the shared beginning, which come first.
        groups: (length, count) of runs of prompts whose rests have the same length.
        ends: Row of the last token of each prompt.
    """

    prefix: int
    groups: list[tuple[int, int]]
    ends: Tensor


def can_pack(tower: nn.Module) -> bool:
    """Whether a tower is causal, reads the end token, and has CLIP's plain blocks."""
    return (
        isinstance(tower, TextTransformer)
        and tower.attn_mask is not None
        and tower.cls_emb is None
        and tower.pool_type in ('argmax', 'eos')
        and all(_is_plain(block) for block in tower.transformer.resblocks)
    )


def _is_plain(block: nn.Module) -> bool:
    if not isinstance(block, ResidualAttentionBlock) or hasattr(block, 'ln_1_kv'):
        return False
    attention = block.attn
    return (
        attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
    )


def encode_packed(
    tower: TextTransformer, prefix: Tensor, suffixes: Sequence[Tensor]
) -> Tensor:
    """Features of prompts, equal to those of the full context.

    Args:
        tower: A tower for which :func:`can_pack` holds, in evaluation mode.
        prefix: ``(P, width)`` token embeddings that all prompts begin with.
        suffixes: C tensors ``(L_i, width)``; the last row is the end token.

    Returns:
        ``(C, D)``, in the order of ``suffixes``.
    """
    order = sorted(range(len(suffixes)), key=lambda i: len(suffixes[i]))
    lengths = [len(suffixes[i]) for i in order]
    num_prefix = len(prefix)
    layout = Layout(
        num_prefix,
        [(length, lengths.count(length)) for length in sorted(set(lengths))],
        index_tensor(lengths, prefix.device).cumsum(0) + num_prefix - 1,
    )
    positions = tower.positional_embedding
    rows = [prefix + positions[:num_prefix]]
    rows += [
        suffixes[i] + positions[num_prefix : num_prefix + length]
        for i, length in zip(order, lengths)
    ]
    x = torch.cat(rows)
    blocks = tower.transformer.resblocks
    for block in blocks[:-1]:
        x = _block(block, x, layout, ends_only=False)
    x = _block(blocks[-1], x, layout, ends_only=True)
    x = project(tower, tower.ln_final(x))
    back = index_tensor(order, x.device).argsort()
    return x[back]


def project(tower: TextTransformer, pooled: Tensor) -> Tensor:
    """The tower's text projection: ``(C, width)`` -> ``(C, D)``."""
    projection = tower.text_projection
    if projection is None:
        return pooled
    if isinstance(projection, nn.Linear):
        return projection(pooled)
    return pooled @ projection


def _block(
    block: ResidualAttentionBlock, x: Tensor, layout: Layout, ends_only: bool
) -> Tensor:
    """One layer on packed rows ``(T, width)``; -> ``(T or C, width)``."""
    queries: Union[slice, Tensor] = layout.ends if ends_only else slice(None)
    attended = _attention(block.attn, block.ln_1(x), layout, queries)
    x = x[queries] + block.ls_1(attended)
    return x + block.ls_2(block.mlp(block.ln_2(x)))


def _attention(
    attention: nn.MultiheadAttention,
    x: Tensor,
    layout: Layout,
    queries: Union[slice, Tensor],
) -> Tensor:
    width, heads = attention.embed_dim, attention.num_heads
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    q = F.linear(x[queries], weight[:width], bias[:width])
    k, v = F.linear(x, weight[width:], bias[width:]).chunk(2, dim=-1)
    q, k, v = (rows.unflatten(-1, (heads, -1)) for rows in (q, k, v))

    ends_only = not isinstance(queries, slice)
    num_prefix = layout.prefix
    out = []
    if num_prefix and not ends_only:
        shared = (rows[:num_prefix].transpose(0, 1)[None] for rows in (q, k, v))
        attended = F.scaled_dot_product_attention(*shared, is_causal=True)
        out.append(attended[0].transpose(0, 1))
    row, prompt = num_prefix, 0
    for length, count in layout.groups:
        rows = slice(row, row + length * count)
        keys, values = (
            _with_prefix(states[:num_prefix], states[rows], count) for states in (k, v)
        )
        if ends_only:
            # The end token is last: it sees all of its prompt.
            asked, mask = q[prompt : prompt + count].unsqueeze(2), None
        else:
            asked = q[rows].unflatten(0, (count, length)).transpose(1, 2)
            mask = torch.ones(
                length, num_prefix + length, dtype=torch.bool, device=x.device
            ).tril(num_prefix)
        attended = F.scaled_dot_product_attention(asked, keys, values, attn_mask=mask)
        out.append(attended.transpose(1, 2).flatten(0, 1))
        row, prompt = rows.stop, prompt + count
    return attention.out_proj(torch.cat(out).flatten(1))


def _with_prefix(prefix: Tensor, rows: Tensor, count: int) -> Tensor:
    """Keys or values ``(count, heads, P + L, width / heads)`` of a group."""
    own = rows.unflatten(0, (count, -1)).transpose(1, 2)
    shared = prefix.transpose(0, 1).expand(count, -1, -1, -1)
    return torch.cat([shared, own], dim=2)
