"""CMP: label features from learnt prompts (Eq. 5)."""

from collections.abc import Sequence
from typing import NamedTuple, Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.models.text_encoders.base import to_ids
from mmscpnet.registry import MODELS

from .label_texts import average_features, label_text

CONTEXT_STD = 0.02
POSITIONS = ('front', 'middle', 'end')


class _Ids(NamedTuple):
    """Token ids: what stands before the prompts, the names, what ends the prompts."""

    start: list[int]
    names: list[list[int]]
    stop: list[int]


@MODELS.register_module()
class CrossModalityPrompter(BaseModule):
    """Learn soft tokens that, with a class name, make the label's text feature.

    Eq. 5 of SCPNet: ``z_c = TextEncoder([v_1, ..., v_m, name_c])``. Only the soft
    tokens (:attr:`context`) train; the text encoder is frozen. Token ids are made from
    the names, not stored, so a checkpoint holds weights only.

    Args:
        classes: C label names, or a file with one name a line. None: call
            :meth:`set_classes` before the first forward pass.
        text_encoder: Config of a text encoder that supports prompts.
        num_tokens: m, soft tokens of a prompt.
        init_words: Words that the soft tokens start from, as many tokens as
            ``num_tokens``; None for random ones (normal, std 0.02).
        shared: One set of soft tokens for all labels; False: a set for each label.
        class_position: Place of the name: ``'end'``, ``'front'``, or ``'middle'`` (half
            of the soft tokens before, half after it).
        prompt_suffix: Text that ends the prompt, ``''`` for none.
        templates: Prompts a label has: a number (more than 1 only with random
            beginnings), or a list of the words each of them starts from, in place of
            ``init_words``.
        init_cfg: mmengine's.

    Attributes:
        context (nn.Parameter): Soft tokens ``(K, 1 or C, m, width)`` of K prompts.
        embed_dims (int): D.
        classes (list[str]): The names.
        num_classes (int): C.
    """

    def __init__(
        self,
        classes: Union[str, Sequence[str], None] = None,
        *,
        text_encoder: dict,
        num_tokens: int = 4,
        init_words: Optional[str] = 'a photo of a',
        shared: bool = True,
        class_position: str = 'end',
        prompt_suffix: str = '.',
        templates: Union[int, Sequence[str]] = 1,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if class_position not in POSITIONS:
            raise ValueError(
                f'CrossModalityPrompter: class_position must be one of {POSITIONS}, '
                f'found {class_position!r}'
            )
        if num_tokens < 1:
            raise ValueError(
                f'CrossModalityPrompter: num_tokens must be at least 1, found '
                f'{num_tokens}. Without soft tokens use FixedLabelFeatures'
            )
        if classes is None and not shared:
            raise ValueError(
                'CrossModalityPrompter: shared=False has soft tokens for each label, '
                'so it needs classes'
            )
        self.beginnings = _beginnings(init_words, templates)
        self.num_tokens = num_tokens
        self.shared = shared
        self.class_position = class_position
        self.prompt_suffix = prompt_suffix
        self.classes: Optional[list[str]] = None
        self._ids: Optional[_Ids] = None
        if classes is not None:
            self.set_classes(classes)

        self.text_encoder = MODELS.build(text_encoder)
        if not self.text_encoder.supports_prompts:
            raise ValueError(
                'CrossModalityPrompter: text_encoder '
                f'{type(self.text_encoder).__name__} does not support prompts. Use '
                'FixedLabelFeatures with it'
            )
        self.embed_dims = self.text_encoder.embed_dims
        sets = 1 if shared else self.num_classes
        shape = (len(self.beginnings), sets, num_tokens, self.text_encoder.width)
        self.context = nn.Parameter(torch.randn(shape) * CONTEXT_STD)

    @property
    def num_classes(self) -> int:
        """C.

        Raises:
            ValueError: There are no classes yet.
        """
        if self.classes is None:
            raise ValueError(
                'CrossModalityPrompter: there are no classes yet. Give `classes`, or '
                'call set_classes(names)'
            )
        return len(self.classes)

    def set_classes(self, classes: Union[str, Sequence[str]]) -> None:
        """Take other labels; with shared soft tokens also after training.

        Raises:
            ValueError: A name occurs twice; or each label has soft tokens of its own
                and the number of labels changes.
        """
        names = load_class_names(classes, 'CrossModalityPrompter: classes')
        if not self.shared and self.classes is not None:
            if len(names) != len(self.classes):
                raise ValueError(
                    f'CrossModalityPrompter: with shared=False the number of labels is '
                    f'fixed at {len(self.classes)}, found {len(names)}'
                )
        before = self.classes, self._ids
        self.classes, self._ids = names, None
        if before[0] is None:
            return
        try:
            self._check_names()
        except ValueError:
            self.classes, self._ids = before
            raise

    def init_weights(self) -> None:
        """Load the text encoder, then start the soft tokens from their words.

        Raises:
            ValueError: The words are not ``num_tokens`` tokens, or the prompt of a
                label is longer than the encoder's context.
        """
        if self.is_init:
            return
        super().init_weights()
        with torch.no_grad():
            for context, words in zip(self.context, self.beginnings):
                if words is None:
                    continue
                ids = self.text_encoder.tokenize(words)
                if len(ids) != self.num_tokens:
                    raise ValueError(
                        f'CrossModalityPrompter: {words!r} is {len(ids)} tokens (of '
                        f'{len(words.split())} words), but num_tokens is '
                        f'{self.num_tokens}. Change one of them'
                    )
                context.copy_(self.text_encoder.embed(to_ids(ids, context)))
        if self.classes is not None:
            self._check_names()

    def _check_names(self) -> None:
        """Find a name that is too long before training, not in its first step."""
        self._ids = self._tokenize()
        common = len(self._ids.start) + self.num_tokens + len(self._ids.stop)
        lengths = [len(name) for name in self._ids.names]
        self.text_encoder.check_lengths(common, lengths, self.classes)

    def forward(self) -> Tensor:
        """Label features Z ``(C, D)``, Eq. 5.

        With one prompt a label they are the encoder's, not normalised; with several
        the mean of the normalised ones.

        Raises:
            ValueError: The prompt of a label is longer than the encoder's context.
        """
        names, stop, start = self._embeddings()
        features = []
        for context in self.context:
            prefix, suffixes = self._prompts(context, start, names, stop)
            features.append(self.text_encoder(prefix, suffixes, self.classes))
        return average_features(features)

    def _embeddings(self) -> tuple[list[Tensor], Tensor, Tensor]:
        """Embeddings of the names, the end and the start: of the table as it is now."""
        num_classes = self.num_classes
        if self._ids is None:
            self._ids = self._tokenize()
        ids = self._ids
        pieces = [*ids.names, ids.stop, ids.start]
        flat = to_ids([i for piece in pieces for i in piece], self.context)
        with torch.no_grad():
            embedded = self.text_encoder.embed(flat)
        parts = embedded.split([len(piece) for piece in pieces])
        return list(parts[:num_classes]), parts[-2], parts[-1]

    def _tokenize(self) -> _Ids:
        encoder = self.text_encoder
        texts = [label_text(name) for name in self.classes]
        stop = list(encoder.suffix_ids)
        if self.class_position == 'end':
            # One text, as tokenizers may join a name and what follows it.
            texts = [text + self.prompt_suffix for text in texts]
        else:
            stop = encoder.tokenize(self.prompt_suffix) + stop
        names = [encoder.tokenize(text) for text in texts]
        return _Ids(list(encoder.prefix_ids), names, stop)

    def _prompts(
        self, context: Tensor, start: Tensor, names: Sequence[Tensor], stop: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Shared beginning and the rests of one prompt of each label."""
        before = {
            'end': self.num_tokens,
            'front': 0,
            'middle': self.num_tokens // 2,
        }[self.class_position]
        context = context.to(start.dtype)
        if not self.shared:
            rests = [
                torch.cat([own[:before], name, own[before:], stop])
                for own, name in zip(context, names)
            ]
            return start, rests
        common = context[0]
        prefix = torch.cat([start, common[:before]])
        rest = torch.cat([common[before:], stop])
        return prefix, [torch.cat([name, rest]) for name in names]


def _beginnings(
    init_words: Optional[str], templates: Union[int, Sequence[str]]
) -> list[Optional[str]]:
    """Words that each of the K prompts starts from; None for random."""
    if init_words is not None and not isinstance(init_words, str):
        raise ValueError(
            'CrossModalityPrompter: init_words must be a text or None, found '
            f'{init_words!r}. A list of texts goes into templates'
        )
    if isinstance(templates, int):
        if templates < 1 or (templates > 1 and init_words is not None):
            raise ValueError(
                f'CrossModalityPrompter: templates={templates} with init_words='
                f'{init_words!r}: the number must be at least 1, and several prompts '
                'that start alike stay alike. Set init_words=None, or list the words '
                'of each in templates'
            )
        return [init_words] * templates
    if isinstance(templates, str) or not templates:
        raise ValueError(
            'CrossModalityPrompter: templates must be a number or a list of texts, '
            f'found {templates!r}'
        )
    repeated = [words for words in templates if list(templates).count(words) > 1]
    if repeated:
        raise ValueError(
            f'CrossModalityPrompter: templates has {repeated[0]!r} twice: prompts that '
            'start alike stay alike'
        )
    return list(templates)
