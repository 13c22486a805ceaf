"""Overrides of a config, refused where they would change nothing."""

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
    options = options or {}
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


def _settings() -> set[str]:
    from mmengine.runner import FlexibleRunner, Runner

    taken = {
        name
        for runner in (Runner, FlexibleRunner)
        for name in inspect.signature(runner.__init__).parameters
    }
    return (taken - {'self', 'cfg'}) | FURTHER_SETTINGS


def _places(node, value, path: str) -> Iterator[str]:
    """Where in a setting a value, or for a dict all that it holds, stands."""
    if isinstance(value, str) and isinstance(node, str) and value:
        if node.startswith(value):
            yield path
    elif isinstance(value, dict) and isinstance(node, dict):
        if value and all(node.get(k) == v for k, v in value.items()):
            yield path
            return
    elif type(value) is type(node) and value == node:
        yield path
        return
    if isinstance(node, dict):
        parts = node.items()
    elif isinstance(node, (list, tuple)):
        parts = enumerate(node)
    else:
        return
    for name, part in parts:
        yield from _places(part, value, f'{path}.{name}')
