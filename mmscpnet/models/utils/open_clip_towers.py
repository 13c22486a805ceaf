"""Building one tower of an open_clip model, and putting weights into it."""

from copy import deepcopy
from typing import Optional, Union

import open_clip
from open_clip.model import _build_text_tower, _build_vision_tower
from torch import Tensor, nn

from .open_clip_weights import clean_model_name

ImageSize = Union[int, tuple[int, int]]


def open_clip_config(
    model: str,
    pretrained: Optional[str],
    quick_gelu: Optional[bool] = None,
    model_kwargs: Optional[dict] = None,
) -> dict:
    """Configuration of an open_clip model, with the activation its weights need.

    OpenAI's weights, and some others, were trained with QuickGELU. Of a tag open_clip
    knows it; of a file only the user does, and says so by a model name that ends in
    ``-quickgelu`` or by ``quick_gelu=True``.

    Args:
        model: Name of an open_clip model, or ``local-dir:/path`` of a folder with
            ``open_clip_config.json``.
        pretrained: Tag, file or None.
        quick_gelu: None follows model name and tag.
        model_kwargs: Overrides, merged into the nested configuration.

    Returns:
        A dict with ``embed_dim``, ``vision_cfg``, ``text_cfg``, ``quick_gelu``, ...

    Raises:
        ValueError: Unknown model, or ``quick_gelu`` contradicts the tag.
    """
    name = clean_model_name(model)
    if name.startswith('hf-hub:'):
        raise ValueError(
            f'model={model!r}: the configuration of a hub model would have to be '
            "downloaded to build it. Download the folder and use 'local-dir:/path'."
        )
    config = open_clip.get_model_config(name)
    if config is None:
        raise ValueError(
            f'open_clip has no model {model!r}; it has {open_clip.list_models()}'
        )
    tag = open_clip.get_pretrained_cfg(name, str(pretrained)) if pretrained else {}
    needed = bool(config.get('quick_gelu')) or bool(tag.get('quick_gelu'))
    if tag and quick_gelu is not None and quick_gelu != needed:
        raise ValueError(
            f'quick_gelu={quick_gelu} contradicts pretrained={pretrained!r} of model '
            f'{model!r}, which was trained with quick_gelu={needed}. Leave it out.'
        )
    config['quick_gelu'] = needed if quick_gelu is None else bool(quick_gelu)
    return _merge(config, model_kwargs or {}, 'model_kwargs')


def build_visual_tower(config: dict, img_size: Optional[ImageSize] = None) -> nn.Module:
    """Build the image tower with random weights.

    Args:
        config: What :func:`open_clip_config` returned.
        img_size: Input size in pixels other than the configuration's.
    """
    # Only CoCa asks for the tokens beside the pooled feature.
    settings = {**config['vision_cfg'], 'output_tokens': False}
    settings['timm_model_pretrained'] = False
    if img_size is not None and not settings.get('timm_model_name'):
        settings['image_size'] = img_size
    return _build(
        _build_vision_tower, open_clip.CLIPVisionCfg, settings, config, 'vision_cfg'
    )


def build_text_tower(config: dict) -> nn.Module:
    """Build the text tower with random weights.

    Raises:
        FileNotFoundError: The architecture is defined on the Hugging Face hub and is
            not in the local cache.
    """
    settings = {**config['text_cfg'], 'output_tokens': False}
    settings['hf_model_pretrained'] = False
    if settings.get('hf_model_name'):
        check_hub_config(settings['hf_model_name'])
    return _build(
        _build_text_tower, open_clip.CLIPTextCfg, settings, config, 'text_cfg'
    )


def check_hub_config(name: str) -> None:
    """Make sure that a transformers configuration is there without a download."""
    try:
        from transformers import AutoConfig
    except ImportError as error:
        raise ImportError(
            f'The text tower is the transformers model {name!r}. Install the library '
            'with `pip install "mmscpnet[text]"`'
        ) from error
    try:
        AutoConfig.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f'The text tower is the transformers model {name!r}, whose configuration '
            f'is not on this machine. Run `hf download {name}` once, or set '
            "model_kwargs=dict(text_cfg=dict(hf_model_name='/path/to/folder'))."
        ) from error


def load_tower(tower: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load weights that must fit key by key and shape by shape.

    Args:
        tower: The module.
        state: Its state dict.
        source: Where the weights come from, for the message.

    Raises:
        ValueError: Keys are missing, unexpected or of another shape.
    """
    own = tower.state_dict()
    problems = {
        'missing in the file': sorted(own.keys() - state.keys()),
        'unexpected in the file': sorted(state.keys() - own.keys()),
        'of another shape': [
            f'{key} (file {tuple(state[key].shape)}, model {tuple(own[key].shape)})'
            for key in sorted(own.keys() & state.keys())
            if own[key].shape != state[key].shape
        ],
    }
    found = [
        f'{len(keys)} {what}: {", ".join(keys[:5])}{", ..." if len(keys) > 5 else ""}'
        for what, keys in problems.items()
        if keys
    ]
    if found:
        raise ValueError(
            f'{source} do not fit the architecture. Keys {"; ".join(found)}. Is '
            '`model` the one that the weights were trained with?'
        )
    tower.load_state_dict(state)


def _build(builder, settings_class, settings: dict, config: dict, key: str):
    try:
        settings = settings_class(**settings)
    except TypeError as error:
        raise ValueError(f'model_kwargs: {key} is not understood: {error}') from error
    return builder(config['embed_dim'], settings, quick_gelu=config['quick_gelu'])


def _merge(base: dict, changes: dict, where: str) -> dict:
    merged = deepcopy(base)
    for key, value in changes.items():
        if isinstance(merged.get(key), dict):
            if not isinstance(value, dict):
                raise ValueError(f'{where}[{key!r}] must be a dict, found {value!r}')
            merged[key] = _merge(merged[key], value, f'{where}[{key!r}]')
        elif where == 'model_kwargs' and key not in ('embed_dim', 'quick_gelu'):
            raise ValueError(
                f'{where} can change embed_dim, vision_cfg and text_cfg, found {key!r}'
            )
        else:
            merged[key] = deepcopy(value)
    return merged
