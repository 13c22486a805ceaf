"""Token ids of a text, and the special tokens around it, apart."""

from typing import Callable, Optional

import open_clip
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer


class PromptTokenizer:
    """A tokenizer that gives text and special tokens apart.

    Args:
        tokenize: Text -> token ids without special tokens.
        prefix_ids: Special tokens before a text.
        suffix_ids: Special tokens after it.
        pad_id: Token that fills up a context.
        limit: Most tokens that the tokenizer's model takes, if it says.
    """

    def __init__(
        self,
        tokenize: Callable[[str], list[int]],
        prefix_ids: list[int],
        suffix_ids: list[int],
        pad_id: int,
        limit: Optional[int] = None,
    ) -> None:
        self.tokenize = tokenize
        self.prefix_ids = prefix_ids
        self.suffix_ids = suffix_ids
        self.pad_id = pad_id
        self.limit = limit


def open_clip_prompt_tokenizer(model: str, text_config: dict) -> PromptTokenizer:
    """The tokenizer of an open_clip model.

    That of CLIP comes with open_clip. Others come from the Hugging Face hub, and are
    loaded here, at first use, not when a model is built.

    Args:
        model: Name of an open_clip model.
        text_config: Its ``text_cfg``.

    Raises:
        FileNotFoundError: The tokenizer can not be downloaded.
        ValueError: A tokenizer mode whose special tokens have no fixed place.
    """
    if text_config.get('tokenizer_mode'):
        raise ValueError(
            f'the tokenizer mode {text_config["tokenizer_mode"]!r} of {model!r} is not '
            'supported: it has special tokens in the middle of the padding'
        )
    name = text_config.get('hf_tokenizer_name')
    try:
        tokenizer = _open_clip_tokenizer(model, text_config, name)
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f'The tokenizer {name or model!r} of {model!r} is not on this machine and '
            f'can not be downloaded ({type(error).__name__}: {error}). Run `hf '
            f'download {name}` where there is a network and copy the cache, or set '
            "model_kwargs=dict(text_cfg=dict(hf_tokenizer_name='/path/to/folder'))"
        ) from error
    if isinstance(tokenizer, SimpleTokenizer):
        # open_clip fills up with 0, whatever the vocabulary calls that.
        return PromptTokenizer(
            tokenizer.encode, [tokenizer.sot_token_id], [tokenizer.eot_token_id], 0
        )
    strip = getattr(tokenizer, 'strip_sep_token', False)
    return transformers_prompt_tokenizer(
        tokenizer.tokenizer, getattr(tokenizer, 'clean_fn', None), strip
    )


def _open_clip_tokenizer(model: str, text_config: dict, name: Optional[str]):
    length = text_config.get('context_length', 77)
    if not name or ':' in model:
        return open_clip.get_tokenizer(model, context_length=length)
    # Not get_tokenizer: it would not see an override of the name.
    options = text_config.get('tokenizer_kwargs') or {}
    return HFTokenizer(name, context_length=length, **options)


def transformers_prompt_tokenizer(
    tokenizer, clean: Optional[Callable[[str], str]] = None, strip_sep: bool = False
) -> PromptTokenizer:
    """Wrap a tokenizer of transformers.

    Args:
        tokenizer: The tokenizer.
        clean: Applied to the text first.
        strip_sep: Replace the separator by 0, as open_clip's option of that name.
    """

    def tokenize(text: str) -> list[int]:
        text = clean(text) if clean else text
        return list(tokenizer.encode(text, add_special_tokens=False))

    prefix, suffix = _special_ids(tokenizer)
    if strip_sep:
        suffix = [0 if i == tokenizer.sep_token_id else i for i in suffix]
    pad = tokenizer.pad_token_id
    limit = tokenizer.model_max_length
    return PromptTokenizer(tokenize, prefix, suffix, 0 if pad is None else pad, limit)


def _special_ids(tokenizer) -> tuple[list[int], list[int]]:
    bare = list(tokenizer.encode('a', add_special_tokens=False))
    full = list(tokenizer.encode('a'))
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return full[:start], full[start + len(bare) :]
    raise ValueError(
        f'{type(tokenizer).__name__} does not put its special tokens around the text: '
        f'"a" is {bare} without and {full} with them'
    )
