"""CLIP's text tower."""

from collections.abc import Sequence
from typing import Optional

import torch
from open_clip.model import resize_text_pos_embed
from torch import Tensor, nn

from mmscpnet.models.utils import (
    build_text_tower,
    load_tower,
    open_clip_config,
    take_tower_state_dict,
)
from mmscpnet.registry import MODELS

from .base import BaseTextEncoder, batches, to_ids
from .chunks import check_chunk, encode_in_chunks
from .packed_prompts import can_pack, encode_packed
from .padded_prompts import encode_padded, token_embedding
from .tokenizers import PromptTokenizer, open_clip_prompt_tokenizer


@MODELS.register_module()
class CLIPTextEncoder(BaseTextEncoder):
    """The text tower of any open_clip model, frozen; gradient passes to its input.

    Causal towers that read the end token (OpenAI's and most others) are computed at
    the positions that matter only, see :mod:`.packed_prompts`; the others over their
    full context.

    Args:
        model: Name of an open_clip model: ``'RN50'``, ``'ViT-B-16'``, ...
        pretrained: A tag of open_clip (``'openai'``), a weight file, or None for
            random weights. Read in ``init_weights()``; an image tower of the same
            model and weights shares the reading.
        quick_gelu: None follows model name and tag; say True for a file of weights
            that were trained with QuickGELU, as OpenAI's were.
        model_kwargs: Overrides of open_clip's configuration of the model.
        batch_size: Texts that :meth:`encode` computes at once.
        chunk_positions: Prompts with more positions than this in sum are computed in
            pieces, whose activations are computed again in the backward pass: bounded
            memory for any number of labels, for a second forward pass. None: never.
            The 312 names of CUB have 1,500 positions.
        init_cfg: mmengine's; comes after the weights of ``pretrained``.
    """

    def __init__(
        self,
        model: str,
        *,
        pretrained: Optional[str],
        quick_gelu: Optional[bool] = None,
        model_kwargs: Optional[dict] = None,
        batch_size: int = 256,
        chunk_positions: Optional[int] = 8192,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.model_name = model
        self.pretrained = None if pretrained is None else str(pretrained)
        self.batch_size = batch_size
        check_chunk(chunk_positions, 'CLIPTextEncoder')
        self.chunk_positions = chunk_positions
        config = open_clip_config(model, pretrained, quick_gelu, model_kwargs)
        self._text_config = config['text_cfg']
        self._tokenizer: Optional[PromptTokenizer] = None
        self.tower = build_text_tower(config)
        self.packed = can_pack(self.tower)
        # Of a transformers tower this is the length that it was trained with.
        self.context_length = self._text_config.get('context_length', 77)
        self.embed_dims = config['embed_dim']
        if getattr(self.tower, 'text_projection', self) is None:
            self.embed_dims = self.tower.width
        embedding = token_embedding(self.tower)
        self.supports_prompts = embedding is not None
        if embedding is not None:
            self.width = embedding.embedding_dim
        self.requires_grad_(False)
        self.train()

    @property
    def tokenizer(self) -> PromptTokenizer:
        """Built at first use, because some are downloaded."""
        if self._tokenizer is None:
            self._tokenizer = open_clip_prompt_tokenizer(
                self.model_name, self._text_config
            )
        return self._tokenizer

    @property
    def prefix_ids(self) -> list[int]:
        """Special tokens before a text."""
        return self.tokenizer.prefix_ids

    @property
    def suffix_ids(self) -> list[int]:
        """Special tokens after a text."""
        return self.tokenizer.suffix_ids

    def tokenize(self, text: str) -> list[int]:
        """Token ids of ``text`` without special tokens."""
        return list(self.tokenizer.tokenize(text))

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids ``(L,)`` -> token embeddings ``(L, width)``."""
        return token_embedding(self.tower)(ids)

    def init_weights(self) -> None:
        """Load the weights that ``pretrained`` names, once.

        Raises:
            FileNotFoundError: The weights are not there and can not be downloaded.
            ValueError: They do not fit the model.
        """
        if not self.is_init and self.pretrained is not None:
            state = take_tower_state_dict(self.model_name, self.pretrained, 'text')
            # Older checkpoints hold what transformers has stopped to store.
            state.pop('transformer.embeddings.position_ids', None)
            self._fit_context(state)
            load_tower(
                self.tower,
                state,
                f'CLIPTextEncoder: the weights {self.pretrained!r} of '
                f'{self.model_name!r}',
            )
        super().init_weights()

    def _fit_context(self, state: dict) -> None:
        old = state.get('positional_embedding')
        own = getattr(self.tower, 'positional_embedding', None)
        if old is None or own is None or old.shape[1:] != own.shape[1:]:
            return  # nothing to do, or another architecture: the loader reports it
        # For a context_length of model_kwargs; linear, as open_clip does.
        resize_text_pos_embed(state, self.tower)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Features ``(len(texts), D)``, float32, not normalised, without gradient.

        Loads the weights first if that has not been done.

        Raises:
            ValueError: A text is longer than the context.
        """
        if not self.is_init:
            self.init_weights()
        tokens = [self.prefix_ids + self.tokenize(t) + self.suffix_ids for t in texts]
        self.check_lengths(0, [len(ids) for ids in tokens], texts)
        pieces = batches(tokens, self.batch_size)
        return torch.cat([self._encode_ids(piece) for piece in pieces]).float()

    def _encode_ids(self, tokens: Sequence[list[int]]) -> Tensor:
        device = self._parameter()
        if self.packed:
            shared = len(self.prefix_ids)
            prefix = self.embed(to_ids(self.prefix_ids, device))
            rest = [self.embed(to_ids(ids[shared:], device)) for ids in tokens]
            return encode_packed(self.tower, prefix, rest)
        pad = self.tokenizer.pad_id
        padded = [ids + [pad] * (self.context_length - len(ids)) for ids in tokens]
        return self.tower(torch.stack([to_ids(ids, device) for ids in padded]))

    def forward(
        self,
        prefix: Tensor,
        suffixes: Sequence[Tensor],
        names: Optional[Sequence[str]] = None,
    ) -> Tensor:
        """Features ``(C, D)`` of C prompts that begin alike; see the base class."""
        if not self.supports_prompts:
            raise self._no_prompts()
        self.check_lengths(len(prefix), [len(s) for s in suffixes], names)
        dtype = self._parameter().dtype
        prefix = prefix.to(dtype)
        suffixes = [suffix.to(dtype) for suffix in suffixes]
        if self.packed:
            encode, positions = self._packed, [len(suffix) for suffix in suffixes]
        else:
            encode, positions = self._padded, [self.context_length] * len(suffixes)
        return encode_in_chunks(
            encode, prefix, suffixes, positions, self.chunk_positions
        )

    def _packed(self, prefix: Tensor, suffixes: Sequence[Tensor]) -> Tensor:
        return encode_packed(self.tower, prefix, suffixes)

    def _padded(self, prefix: Tensor, suffixes: Sequence[Tensor]) -> Tensor:
        end = (self.suffix_ids or [1])[-1]
        return encode_padded(
            self.tower,
            prefix,
            suffixes,
            self.context_length,
            end,
            self.tokenizer.pad_id,
        )

    def _parameter(self) -> nn.Parameter:
        return next(self.tower.parameters())
