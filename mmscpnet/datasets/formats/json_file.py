"""Large JSON files, of which only some keys matter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Union


def load_json(path: Union[str, Path], pairs_hook: Callable) -> Union[dict, list]:
    """Read a JSON file whose objects are cut down while they are read.

    The masks of COCO's annotations take ten times the memory of everything else;
    with a hook that leaves them out they are gone as soon as they have been parsed.

    Args:
        path: the file.
        pairs_hook: gets the ``(key, value)`` pairs of every object.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON; file and line are named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file at {path}')
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file, object_pairs_hook=pairs_hook)
    except json.JSONDecodeError as error:
        raise ValueError(f'{path}:{error.lineno}: not JSON: {error.msg}') from None
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not UTF-8 text: {error}') from None


def keep_keys(keys: frozenset) -> Callable:
    """A hook for :func:`load_json` that keeps these keys of every object."""
    return lambda pairs: {key: value for key, value in pairs if key in keys}
