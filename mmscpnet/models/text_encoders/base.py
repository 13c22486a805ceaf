"""What the label side of the model asks of a text encoder."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor

from mmscpnet.models.utils import index_tensor


class BaseTextEncoder(BaseModule):
    """A frozen text encoder.

    Every encoder turns texts into features (:meth:`encode`). One that supports prompts
    also takes token embeddings, so that soft tokens before and after a class name can
    be learnt through it (:meth:`forward`).

    Attributes:
        embed_dims (int): D, width of the features.
        supports_prompts (bool): Whether the members below exist.
        width (int): Width of the token embeddings.
        context_length (int): Most tokens a prompt may have, special ones included.
        prefix_ids (list[int]): Special tokens before a text, e.g. CLIP's start token.
        suffix_ids (list[int]): Special tokens after it, e.g. CLIP's end token.
    """

    supports_prompts: bool = False
    embed_dims: int

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Features ``(len(texts), D)``, float32, not normalised, without gradient."""

    def tokenize(self, text: str) -> list[int]:
        """Token ids of ``text`` without special tokens."""
        raise self._no_prompts()

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids ``(L,)`` -> token embeddings ``(L, width)``."""
        raise self._no_prompts()

    def forward(
        self,
        prefix: Tensor,
        suffixes: Sequence[Tensor],
        names: Optional[Sequence[str]] = None,
    ) -> Tensor:
        """Features of C prompts that begin alike.

        Prompt i is ``prefix`` followed by ``suffixes[i]``. Gradient flows to both.

        Args:
            prefix: ``(P, width)`` embeddings, the start token first; P may be 0.
            suffixes: C tensors ``(L_i, width)``, each with the end token last.
            names: C label names, for messages.

        Returns:
            ``(C, D)``, not normalised.

        Raises:
            ValueError: A prompt is longer than ``context_length``.
        """
        raise self._no_prompts()

    def train(self, mode: bool = True) -> 'BaseTextEncoder':
        """Stay in evaluation mode, whatever is asked for: the encoder is frozen."""
        return super().train(False)

    def _no_prompts(self) -> ValueError:
        return ValueError(
            f'{type(self).__name__} has no token embeddings to learn prompts with. Use '
            'CLIPTextEncoder or TransformersTextEncoder, or FixedLabelFeatures in '
            'place of CrossModalityPrompter'
        )

    def check_lengths(
        self, prefix: int, suffixes: Sequence[int], names: Optional[Sequence[str]]
    ) -> None:
        """Refuse prompts that are empty or do not fit into the context.

        Args:
            prefix: Tokens of the shared beginning.
            suffixes: Tokens of the rest of each prompt.
            names: Label names, for the message.

        Raises:
            ValueError: Names the label, its length and the limit.
        """
        if not suffixes:
            raise ValueError(f'{type(self).__name__}: no prompts to encode')
        for index, suffix in enumerate(suffixes):
            if prefix + suffix == 0:
                raise ValueError(f'{type(self).__name__}: prompt {index} is empty')
            if prefix + suffix > self.context_length:
                label = repr(names[index]) if names is not None else f'number {index}'
                raise ValueError(
                    f'{type(self).__name__}: the prompt of label {label} has '
                    f'{prefix + suffix} tokens, special tokens included, but the '
                    f'context holds {self.context_length}. Shorten the name, or use '
                    'fewer prompt tokens'
                )

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        # The weights have come from a checkpoint: no file of them is needed.
        self.is_init = True


def batches(items: Sequence, size: int) -> list[Sequence]:
    """Cut a sequence into pieces of ``size``; the last one may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def to_ids(ids: Sequence[int], like: Tensor) -> Tensor:
    """Token ids as a tensor on the device of ``like``."""
    return index_tensor(ids, like.device)
