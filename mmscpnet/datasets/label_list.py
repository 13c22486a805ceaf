"""List files, a line an image: the format of ASL, SPLC and SCPNet."""

from pathlib import Path
from typing import NamedTuple, Union

from mmengine.fileio import get_file_backend, list_from_file


class ListEntry(NamedTuple):
    """A line of a list file: its number (1-based), image and positive labels."""

    line: int
    image: str
    positives: list[int]


def read_label_list(path: Union[str, Path]) -> list[ListEntry]:
    """Read lines ``name.jpg,3 17`` (0-based indices, spaces after the comma allowed).

    An image without positives has nothing after the comma. The comma that counts is
    the last one. Empty lines are passed over.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line without comma, an index that is not a number, or an image
            that is listed twice; file and line are named. Or it is not UTF-8 text.
    """
    if not get_file_backend(str(path)).exists(str(path)):
        raise FileNotFoundError(f'there is no label list at {path}')
    try:
        lines = list_from_file(str(path), encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not UTF-8 text: {error}') from None
    entries, seen = [], {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        image, comma, labels = line.rpartition(',')
        image = image.strip()
        if not comma or not image:
            raise ValueError(
                f'{path}:{number}: expected "image,labels", found {line!r}'
            )
        try:
            positives = [int(label) for label in labels.split()]
        except ValueError:
            raise ValueError(
                f'{path}:{number}: labels are 0-based indices separated by spaces, '
                f'found {labels.strip()!r}'
            ) from None
        if image in seen:
            raise ValueError(
                f'{path}:{number}: {image} is listed already in line {seen[image]}'
            )
        seen[image] = number
        entries.append(ListEntry(number, image, positives))
    return entries
