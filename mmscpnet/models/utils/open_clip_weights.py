"""Reading CLIP weights through open_clip: from a tag or a file, once for two towers."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import open_clip
import torch
from mmengine.logging import print_log
from open_clip.factory import load_state_dict
from open_clip.model import convert_to_custom_text_state_dict
from torch import Tensor

StateDict = dict[str, Tensor]

# The state that the first tower has read and the other tower has yet to take.
# One entry at most: a second model pushes the first one out.
_cache: dict[tuple, StateDict] = {}

_FILE_HINT = (
    "Give a file that you have: pretrained='/path/to/file' (.pt, .pth, .bin or "
    '.safetensors), or pretrained=None for random weights.'
)


def load_open_clip_state_dict(model: str, pretrained: str) -> StateDict:
    """Read all weights of a CLIP model.

    Args:
        model: Name of an open_clip model, e.g. ``'RN50'``.
        pretrained: A tag that open_clip knows for the model, e.g. ``'openai'``
            (downloaded if it is not in the cache of the hub), or a file: a state dict,
            a training checkpoint of open_clip, safetensors, or the TorchScript
            archive that OpenAI distributes.

    Returns:
        Keys as in the class that open_clip builds for ``model``: ``visual.*`` and the
        text tower's either bare (``CLIP``) or as ``text.*`` (``CustomTextCLIP``).

    Raises:
        FileNotFoundError: The weights can not be downloaded, or the file is missing.
        ValueError: ``pretrained`` is neither a tag nor a file, or the file holds
            something else than a state dict.
    """
    state = _read(model, pretrained, keep=False)
    config = open_clip.get_model_config(clean_model_name(model)) or {}
    text_config = config.get('text_cfg', {})
    if config.get('custom_text') or text_config.get('hf_model_name'):
        return state
    return {_remove_prefix(key, 'text.'): value for key, value in state.items()}


def load_open_clip_logit_scale(model: str, pretrained: str) -> Tensor:
    """Read CLIP's trained ``logit_scale`` (the logarithm of the scale), a scalar.

    Unlike :func:`load_open_clip_state_dict` it leaves what it has read for the towers.

    Raises:
        ValueError: The weights have no ``logit_scale``; else as
            :func:`load_open_clip_state_dict`.
    """
    state = _cache.get(_source(model, pretrained))
    if state is None or 'logit_scale' not in state:
        state = _read(model, pretrained, keep=True)
    if 'logit_scale' not in state:
        raise ValueError(f'{pretrained!r} of model {model!r} has no logit_scale')
    return state['logit_scale'].float().reshape(())


def take_tower_state_dict(model: str, pretrained: str, tower: str) -> StateDict:
    """Take the weights of one tower; the other tower's wait for their turn in memory.

    Args:
        model: Name of an open_clip model.
        pretrained: Tag or file, see :func:`load_open_clip_state_dict`.
        tower: ``'visual'`` or ``'text'``.

    Returns:
        Keys as in the tower, without a prefix.

    Raises:
        ValueError: There are no weights of that tower; else as
            :func:`load_open_clip_state_dict`.
    """
    prefix = f'{tower}.'
    source = _source(model, pretrained)
    state = _cache.get(source, {})
    if not any(key.startswith(prefix) for key in state):
        state = _read(model, pretrained, keep=True)
    taken = {key: state.pop(key) for key in list(state) if key.startswith(prefix)}
    if not any(key.startswith(('visual.', 'text.')) for key in state):
        # Only scalars remain: keep them for the head's scale, they cost nothing.
        _cache[source] = {
            key: value for key, value in state.items() if value.numel() == 1
        }
    if not taken:
        raise ValueError(
            f'pretrained={pretrained!r} has no weights of the {tower} tower of '
            f'{model!r}; found keys such as {sorted(state)[:5]}'
        )
    return {_remove_prefix(key, prefix): value for key, value in taken.items()}


def release_open_clip_cache() -> None:
    """Forget weights that wait for a second tower."""
    _cache.clear()


def clean_model_name(model: str) -> str:
    """``'ViT-B/16'`` -> ``'ViT-B-16'``, as open_clip does; paths stay as they are."""
    return model if ':' in model else model.replace('/', '-')


def find_weights(model: str, pretrained: str) -> Path:
    """Path of the weight file, downloaded if ``pretrained`` is a tag.

    Raises:
        FileNotFoundError: The download fails, or the file is missing.
        ValueError: ``pretrained`` is neither a tag nor a file.
    """
    name = clean_model_name(model)
    config = open_clip.get_pretrained_cfg(name, str(pretrained))
    if config:
        try:
            return Path(open_clip.download_pretrained(config))
        except Exception as error:
            # Whatever fails on the way (no network, a proxy, a full disk, a changed
            # file), the user needs to know of the other way.
            raise FileNotFoundError(
                f'The weights pretrained={pretrained!r} of the open_clip model '
                f'{name!r} are not on this machine and can not be downloaded '
                f'({type(error).__name__}: {error}). {_FILE_HINT}'
            ) from error
    path = Path(pretrained).expanduser()
    if path.is_file():
        return path
    if path.suffix or len(path.parts) > 1:
        raise FileNotFoundError(
            f'pretrained={str(pretrained)!r} of the open_clip model {name!r}: there is '
            'no such file. Correct the path, or name one of the tags '
            f'{open_clip.list_pretrained_tags_by_model(name)}.'
        )
    raise ValueError(
        f'pretrained={str(pretrained)!r} is not a tag of the open_clip model {name!r}, '
        f'nor a file. Its tags: {open_clip.list_pretrained_tags_by_model(name)}. '
        f'{_FILE_HINT}'
    )


def read_weights(path: Path) -> StateDict:
    """Read a weight file into a state dict with ``visual.*`` and ``text.*`` keys.

    Raises:
        ValueError: The file does not hold a state dict of a CLIP model.
    """
    if path.suffix in ('.npz', '.npy'):
        raise ValueError(
            f'{path}: weights in NumPy files are not read. Convert them with '
            'open_clip.load_checkpoint and save the state dict with torch.save.'
        )
    try:
        if _is_torchscript(path):
            state = torch.jit.load(str(path), map_location='cpu').state_dict()
            # OpenAI's archives keep these numbers among the weights.
            for key in ('input_resolution', 'context_length', 'vocab_size'):
                state.pop(key, None)
        else:
            state = load_state_dict(str(path), device='cpu', weights_only=True)
    except Exception as error:
        raise ValueError(
            f'{path} can not be read as weights ({type(error).__name__}: {error}). It '
            'should hold a state dict, or a checkpoint with one under "state_dict".'
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise ValueError(
            f'{path} should hold a state dict (names to tensors), found '
            f'{type(state).__name__}'
        )
    if not any(key.startswith('text.') for key in state):
        state = convert_to_custom_text_state_dict(state)
    return dict(state)


def _read(model: str, pretrained: str, keep: bool) -> StateDict:
    source = _source(model, pretrained)
    state = _cache.get(source, {})
    if all(
        any(key.startswith(prefix) for key in state) for prefix in ('visual.', 'text.')
    ):
        return state if keep else dict(state)
    path = find_weights(model, pretrained)
    print_log(f'Reading the weights of {model} from {path}', logger='current')
    state = read_weights(path)
    if keep:
        _cache.clear()
        _cache[source] = state
    return state


def _source(model: str, pretrained: str) -> tuple:
    path = Path(pretrained).expanduser()
    if not open_clip.is_pretrained_cfg(clean_model_name(model), str(pretrained)):
        if path.is_file():
            # A file that was written anew is another source.
            stat = path.stat()
            return (str(path.resolve()), stat.st_mtime_ns, stat.st_size)
    return (clean_model_name(model), str(pretrained))


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('constants.pkl') for name in archive.namelist())


def _remove_prefix(text: str, prefix: str) -> str:
    return text[len(prefix) :] if text.startswith(prefix) else text
