"""Visual Genome's raw objects, and the most frequent of their names as labels."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Union

from .json_file import keep_keys, load_json
from .text_lines import read_lines

NAMES = ('names', 'synsets')
COUNTS = ('objects', 'images')
# Version 1.0 has "id" where the later ones have "image_id".
_IMAGE_KEYS = frozenset(('objects', 'image_id', 'id', 'url'))


def read_image_paths(path: Union[str, Path]) -> dict[int, str]:
    """Photos by image id, from ``image_data.json`` of version 1.0 or later.

    A photo is named as its archive unpacks, ``VG_100K_2/1.jpg``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an entry is not as expected, or an image occurs twice.
    """
    paths: dict[int, str] = {}
    for position, entry in enumerate(_entries(path, keep_keys(_IMAGE_KEYS))):
        where = f'{path}: entry {position}'
        if not isinstance(entry, dict) or not isinstance(entry.get('url'), str):
            raise ValueError(f'{where} has no "url"')
        image = _image_id(entry, where)
        if image in paths:
            raise ValueError(f'{where}: image {image} occurs twice')
        paths[image] = '/'.join(entry['url'].split('/')[-2:])
    return paths


def read_object_names(
    path: Union[str, Path], paths: Mapping[int, str], key: str = 'names'
) -> dict[int, Counter]:
    """How often each name occurs, by image id, from ``objects.json``.

    Args:
        path: the file.
        paths: :func:`read_image_paths`.
        key: what an object is called by: its ``'names'`` or its ``'synsets'``
            (``tree.n.01``); both are taken in lower case.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an entry is not as expected, occurs twice, or has no photo.
    """
    if key not in NAMES:
        raise ValueError(f'key must be one of {NAMES}, found {key!r}')
    names: dict[int, Counter] = {}
    for position, entry in enumerate(_entries(path, _names_only(key))):
        where = f'{path}: entry {position}'
        if not isinstance(entry, dict) or not isinstance(entry.get('objects'), list):
            raise ValueError(f'{where} has no list "objects"')
        image = _image_id(entry, where)
        if image not in paths:
            raise ValueError(f'{where}: image {image} is not in image_data.json')
        if image in names:
            raise ValueError(f'{where}: image {image} occurs twice')
        names[image] = Counter()
        for number, found in enumerate(entry['objects']):
            if not isinstance(found, tuple):
                raise ValueError(f'{where}: object {number} has no list "{key}"')
            names[image].update(found)
    return names


def most_frequent(
    names: Mapping[int, Counter], number: int = 200, count: str = 'objects'
) -> list[str]:
    """The most frequent names, the most frequent first, equals in alphabetical order.

    Args:
        names: :func:`read_object_names`.
        number: how many.
        count: ``'objects'`` counts every object, ``'images'`` the images that have
            one.

    Raises:
        ValueError: there are fewer names.
    """
    if count not in COUNTS:
        raise ValueError(f'count must be one of {COUNTS}, found {count!r}')
    total: Counter = Counter()
    for found in names.values():
        total.update(found if count == 'objects' else found.keys())
    if not 0 < number <= len(total):
        raise ValueError(
            f'{number} categories are wanted, there are {len(total)} names'
        )
    return sorted(total, key=lambda name: (-total[name], name))[:number]


def read_split_list(
    path: Union[str, Path], paths: Mapping[int, str]
) -> list[tuple[int, str]]:
    """Image ids and photos of a split list, lines ``2345.jpg`` or ``2345``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not an image of the dataset, or occurs twice.
    """
    found: dict[int, str] = {}
    for number, line in read_lines(path):
        stem = Path(line.strip()).stem
        if not stem.isdigit() or int(stem) not in paths:
            raise ValueError(
                f'{path}:{number}: {line.strip()!r} is not an image of the dataset'
            )
        if int(stem) in found:
            raise ValueError(f'{path}:{number}: {line.strip()!r} occurs twice')
        found[int(stem)] = paths[int(stem)]
    return list(found.items())


def read_label_index(path: Union[str, Path], number: int) -> dict[int, Sequence[int]]:
    """Labels by image id of a file ``{"2345.jpg": [0, 17], ...}``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an entry is not a list of indices below ``number``.
    """
    content = load_json(path, dict)
    if not isinstance(content, dict):
        raise ValueError(f'{path}: expected an object with a list for each image')
    found = {}
    for name, labels in content.items():
        if not isinstance(labels, list) or not all(
            isinstance(label, int) and 0 <= label < number for label in labels
        ):
            raise ValueError(
                f'{path}: {name!r}: expected label indices in 0..{number - 1}, found '
                f'{labels!r}'
            )
        if not Path(name).stem.isdigit():
            raise ValueError(f'{path}: {name!r} is not named by an image id')
        found[int(Path(name).stem)] = sorted(set(labels))
    return found


def _entries(path: Union[str, Path], hook: Callable) -> list:
    content = load_json(path, hook)
    if not isinstance(content, list):
        raise ValueError(f'{path}: expected a list with an entry for each image')
    return content


def _names_only(key: str) -> Callable:
    """A hook that leaves of an object nothing but its names, as a tuple."""
    keep = keep_keys(_IMAGE_KEYS)

    def reduce(pairs):
        for name, value in pairs:
            if name == key and isinstance(value, list):
                return tuple(str(item).strip().lower() for item in value)
        return keep(pairs)

    return reduce


def _image_id(entry: dict, where: str) -> int:
    image = entry.get('image_id', entry.get('id'))
    if not isinstance(image, int):
        raise ValueError(f'{where} has no "image_id"')
    return image
