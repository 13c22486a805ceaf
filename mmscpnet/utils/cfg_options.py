"""Overrides of a config, refused where they would change nothing."""

import functools
import inspect
from collections.abc import Iterator
from typing import Any, Optional

# Read beside what MMEngine's runners take.
FURTHER_SETTINGS = {
    'bypass_duplicate',
    'compile',
    'custom_imports',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'resource_limit',
    'runner_type',
    'sync_bn',
    'tta_dataloader',
    'tta_evaluator',
    'tta_model',
    'tta_pipeline',
}


def merge_options(cfg, options: Optional[dict[str, Any]]) -> None:
    """Put overrides into a config, as ``--cfg-options`` does.

    A variable of a config file (``data_root``, ``clip``) is used up when the file is
    read: what was made of it stays as it is when the variable changes.

    Args:
        cfg (Config): Changed in place.
        options: Dotted keys and values; None for none.

    Raises:
        ValueError: A key is such a variable, or nothing reads a setting of that name.
    """
    if not options:
        return
    known, names = _settings(), set(cfg.keys())
    for key in options:
        name = key.split('.')[0]
        if name in known:
            continue
        if name not in names:
            raise ValueError(
                f'{key}: neither the config nor MMEngine has a setting {name!r}. '
                f'Settings of the config: {sorted(known & names)}'
            )
        places = [
            place
            for setting in sorted(known & names)
            for place in _places(cfg[setting], cfg[name], setting)
        ]
        found = f', for example {", ".join(places[:4])}' if places else ''
        raise ValueError(
            f'{key}: {name!r} is a variable of the config file, which is used up when '
            'the file is read; setting it would change nothing. Set what was made of '
            f'it{found}'
        )
    cfg.merge_from_dict(options)


@functools.cache
def _settings() -> set[str]:
    from mmengine.runner import FlexibleRunner, Runner

    taken = {
        name
        for runner in (Runner, FlexibleRunner)
        for name in inspect.signature(runner.__init__).parameters
    }
    return (taken - {'self', 'cfg'}) | FURTHER_SETTINGS


def _places(node, value, path: str) -> Iterator[str]:
    """Where in a setting a value stands: whole, as the start of a path, or merged."""
    if isinstance(node, str) and isinstance(value, str):
        same = bool(value) and node.startswith(value)
    elif isinstance(node, dict) and isinstance(value, dict):
        same = bool(value) and dict(value).items() <= dict(node).items()
    else:
        same = type(node) is type(value) and node == value
    if same:
        yield path
    elif isinstance(node, dict):
        for name, part in node.items():
            yield from _places(part, value, f'{path}.{name}')
    elif isinstance(node, (list, tuple)):
        for index, part in enumerate(node):
            yield from _places(part, value, f'{path}.{index}')
