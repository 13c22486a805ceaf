"""Class names, from a list, a known set or a file with one name a line."""

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from .class_sets import CLASS_SETS
from .demo_scenes.themes import DEMO_CLASSES

KNOWN_SETS = {**CLASS_SETS, 'demo': DEMO_CLASSES}


def load_class_names(
    classes: Union[str, Path, Sequence[str], None], key: str = 'classes'
) -> list[str]:
    """Resolve the ``classes`` of a config.

    Args:
        classes: the names; or a known set, ``'coco80'``, ``'voc20'``,
            ``'nus81'`` or ``'demo'``;
            or the path of a file with one name a line (empty lines at its end are
            dropped).
        key: the config key, for the messages.

    Returns:
        The names, in order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no name, an empty name, or a name that occurs twice; or the file is
            not UTF-8 text.
    """
    if classes is None:
        raise ValueError(
            f'{key} is missing: give a list of names, a file of them or a known set'
        )
    where = key
    if isinstance(classes, str) and classes in KNOWN_SETS:
        return list(KNOWN_SETS[classes])
    if isinstance(classes, (str, Path)):
        path = Path(classes).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f'{key}: there is no file of class names at {path} (one name a line, '
                'in the order of the label indices), nor a set of that name; the sets '
                f'are {sorted(KNOWN_SETS)}'
            )
        where = str(path)
        try:
            text = path.read_text(encoding='utf-8-sig')
        except UnicodeDecodeError as error:
            raise ValueError(f'{path}: not UTF-8 text: {error}') from None
        classes = text.rstrip().splitlines()
    names = [str(name).strip() for name in classes]
    if not names:
        raise ValueError(f'{where} has no class name')
    for index, name in enumerate(names):
        if not name:
            raise ValueError(f'{where}: the name of class {index} is empty')
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        lines = [i for i, name in enumerate(names) if name == repeated[0]]
        raise ValueError(
            f'{where}: class name {repeated[0]!r} stands at indices {lines}; names '
            'must differ'
        )
    return names


def class_indices(names: Sequence[str], classes: Sequence[str], key: str) -> list[int]:
    """Indices of class names, in the order given, each once.

    Args:
        names: to look up.
        classes: C names.
        key: who names them, for the message: a config key or an option.

    Raises:
        ValueError: there is no such class; near ones are named.
    """
    place = {name: index for index, name in enumerate(classes)}
    for name in names:
        if name not in place:
            near = difflib.get_close_matches(name, classes, n=3, cutoff=0.5)
            raise ValueError(
                f'{key}: there is no label {name!r} among the {len(classes)}. '
                + (
                    f'Did you mean {", ".join(near)}?'
                    if near
                    else f'There are, for example, {", ".join(classes[:5])}'
                )
            )
    return list(dict.fromkeys(place[name] for name in names))


def describe_difference(found: Sequence[str], expected: Sequence[str]) -> str:
    """Say how two lists of class names differ, in one sentence.

    Of names that are in one list alone, five of each are shown.
    """
    if len(found) != len(expected):
        return f'{len(found)} labels found, {len(expected)} expected' + _only(
            found, expected
        )
    for index, (a, b) in enumerate(zip(found, expected)):
        if a != b and set(found) == set(expected):
            return f'the same labels in another order, from label {index} on: ' + (
                f'{list(found[index : index + 5])} found, '
                f'{list(expected[index : index + 5])} expected'
            )
        if a != b:
            return f'label {index} is {a!r}, expected {b!r}' + _only(found, expected)
    return 'no difference'


def _only(found: Sequence[str], expected: Sequence[str]) -> str:
    extra = [name for name in found if name not in set(expected)][:5]
    missing = [name for name in expected if name not in set(found)][:5]
    return (f'; not expected: {extra}' if extra else '') + (
        f'; missing: {missing}' if missing else ''
    )
