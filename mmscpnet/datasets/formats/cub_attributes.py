"""The attributes of CUB-200-2011's photos, with the annotators' certainty."""

from pathlib import Path
from typing import NamedTuple, Union

import numpy as np

from .text_lines import read_lines, read_table


class CubAttributes(NamedTuple):
    """The files of CUB-200-2011 that concern attributes.

    ``names``: the C attributes. ``images``: the N photos. ``is_train`` ``(N,)`` bool.
    ``present`` ``(N, C)`` bool. ``certainty`` ``(N, C)`` int8: 1 not visible, 2
    guessing, 3 probably, 4 definitely. ``files``: what was read.
    """

    names: list[str]
    images: list[str]
    is_train: np.ndarray
    present: np.ndarray
    certainty: np.ndarray
    files: list[Path]


def read_cub(root: Union[str, Path]) -> CubAttributes:
    """Read the folder with ``images.txt``.

    Args:
        root: the folder. ``attributes.txt`` may also be in ``attributes/`` or, as the
            archive unpacks, beside the folder.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a line is malformed, or an image has no value for an attribute;
            file and line are named.
    """
    root = Path(root)
    names_file = _first_of(
        root / 'attributes.txt',
        root / 'attributes' / 'attributes.txt',
        root.parent / 'attributes.txt',
    )
    names = _numbered(names_file)
    images = _numbered(root / 'images.txt')
    split_file = root / 'train_test_split.txt'
    split = _numbered(split_file)
    if len(split) != len(images):
        raise ValueError(
            f'{split_file} has {len(split):,} lines, images.txt {len(images):,}'
        )
    for number, value in enumerate(split, start=1):
        if value not in ('0', '1'):
            raise ValueError(f'{split_file}:{number}: expected 0 or 1, found {value!r}')
    labels_file = root / 'attributes' / 'image_attribute_labels.txt'
    table = _read_labels(labels_file, len(images), len(names))
    return CubAttributes(
        names,
        images,
        np.array([value == '1' for value in split]),
        table[0] == 1,
        table[1],
        [names_file, root / 'images.txt', split_file, labels_file],
    )


def _read_labels(path: Path, images: int, attributes: int) -> np.ndarray:
    """``(2, N, C)`` int8: whether present, and certainty."""
    table = np.full((2, images, attributes), -1, dtype=np.int8)
    for number, line in read_lines(path):
        try:
            # Of the fields behind the fourth, which some lines have too many of, only
            # the first is the time that the annotator took.
            image, attribute, present, certainty = map(int, line.split(None, 4)[:4])
        except ValueError:
            raise ValueError(
                f'{path}:{number}: expected "image attribute present certainty time", '
                f'found {line!r}'
            ) from None
        if not (1 <= image <= images and 1 <= attribute <= attributes):
            raise ValueError(
                f'{path}:{number}: image {image} or attribute {attribute} is outside '
                f'1..{images} and 1..{attributes}'
            )
        if present not in (0, 1) or not 0 <= certainty <= 4:
            raise ValueError(
                f'{path}:{number}: present must be 0 or 1 and certainty 1 to 4, found '
                f'{present} and {certainty}'
            )
        table[:, image - 1, attribute - 1] = present, certainty
    missing = np.argwhere(table[0] < 0)
    if len(missing):
        image, attribute = missing[0] + 1
        raise ValueError(
            f'{path}: {len(missing):,} values are missing, the first is attribute '
            f'{attribute} of image {image}; is the file whole?'
        )
    return table


def _numbered(path: Path) -> list[str]:
    """The items of lines ``1 item``, which must be numbered from 1."""
    items = []
    for number, (index, item) in read_table(path, 2):
        if index != str(len(items) + 1):
            raise ValueError(
                f'{path}:{number}: expected number {len(items) + 1}, found {index!r}'
            )
        items.append(item)
    return items


def _first_of(*paths: Path) -> Path:
    for path in paths:
        if path.is_file():
            return path
    raise FileNotFoundError(
        'there is no attributes.txt; looked for ' + ', '.join(map(str, paths))
    )
