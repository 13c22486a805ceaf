"""Checkpoints of the released SCPNet code by the names of this project.

The released model has, by class of weight: ``image_encoder.*``, CLIP's image tower;
``text_encoder.*``, its text tower without the table of token embeddings;
``prompt_learner.ctx``, the soft tokens; ``prompt_learner.token_*``, embeddings of the
other tokens of each prompt, from which the rows in use of the table are put back;
``gc1..3.weight``, SAM; and ``logit_scale``.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .clip_names import IMAGE_TOWER, SCALE, TEXT_TOWER

PREFIXES = {'image_encoder.': IMAGE_TOWER, 'text_encoder.': TEXT_TOWER}
TABLE = TEXT_TOWER + 'token_embedding.weight'
TOKENS = 'prompt_learner.token_'


def from_released(
    state: Mapping[str, Tensor],
    token_ids: Sequence[Sequence[int]],
    vocabulary_size: int,
    learns_scale: bool,
) -> tuple[dict[str, Tensor], set[str]]:
    """Translate a released state dict.

    Args:
        state: of the released code, with or without ``module.`` before each name.
        token_ids: of the prompts "a photo of a NAME." of the C classes, with start and
            end, padded with 0 to the context length.
        vocabulary_size: rows of the table of token embeddings. Rows that no class
            uses are not in the file and become 0.
        learns_scale: whether the model has CLIP's scale; else it is fixed, and the
            ``logit_scale`` in the file was never used.

    Returns:
        The weights by the names here, and the names that were not understood.

    Raises:
        ValueError: the embeddings in the file are not those of these class names.
    """
    if state and all(name.startswith('module.') for name in state):
        state = {name[len('module.') :]: value for name, value in state.items()}
    converted, unknown = {}, set()
    for name, value in state.items():
        prefix = next((p for p in PREFIXES if name.startswith(p)), None)
        if prefix is not None:
            converted[PREFIXES[prefix] + name[len(prefix) :]] = value
        elif name == 'prompt_learner.ctx':
            converted['head.prompter.context'] = value[None, None]
        elif name in ('gc1.weight', 'gc2.weight', 'gc3.weight'):
            converted[f'head.association.weights.{int(name[2]) - 1}'] = value
        elif name == 'logit_scale':
            if learns_scale:
                converted[SCALE] = value.reshape(())
        elif not name.startswith(TOKENS):
            unknown.add(name)
    parts = [state.get(TOKENS + part) for part in ('prefix', 'middle', 'suffix')]
    if all(part is not None for part in parts):
        embeddings = torch.cat(parts, dim=1)
        converted[TABLE] = token_table(embeddings, token_ids, vocabulary_size)
    return converted, unknown


def token_table(
    embeddings: Tensor, token_ids: Sequence[Sequence[int]], vocabulary_size: int
) -> Tensor:
    """Rows of the table of token embeddings from those of each prompt's tokens.

    Args:
        embeddings: ``(C, L, width)``.
        token_ids: C lists of L ids.
        vocabulary_size: V.

    Returns:
        ``(V, width)``, 0 where no prompt has the token.

    Raises:
        ValueError: number or length of the prompts differ, or a token has two
            different embeddings, as it has when the names are in another order.
    """
    ids = torch.tensor([list(row) for row in token_ids])
    if ids.shape != embeddings.shape[:2]:
        raise ValueError(
            f'the file holds {embeddings.size(0)} prompts of {embeddings.size(1)} '
            f'tokens, but the config has {len(ids)} classes with {ids.size(1)}. Give '
            'the config of the data set it was trained on'
        )
    table = embeddings.new_zeros(vocabulary_size, embeddings.size(-1))
    table[ids.flatten()] = embeddings.flatten(0, 1)
    differs = (table[ids] != embeddings).any(dim=-1).any(dim=1)
    if differs.any():
        index = int(differs.nonzero()[0])
        raise ValueError(
            f'{int(differs.sum())} of {len(ids)} prompts in the file have other tokens '
            f'than the class names of the config, the first is that of label {index}. '
            'The classes, or their order, are not those it was trained on'
        )
    return table
