"""List files with indices or names behind the comma."""

from collections.abc import Iterator
from pathlib import Path
from typing import Optional, Union

from .own_rows import SourceRow, parse_labels
from .text_lines import read_lines


def read_list(
    path: Union[str, Path], names: bool = False, separator: Optional[str] = None
) -> Iterator[SourceRow]:
    """Yield the lines ``name.jpg,3 17`` or, with ``names``, ``name.jpg,cat dog``.

    Args:
        path: the list.
        names: labels are names, and everything up to the first comma is the image.
            Otherwise they are 0-based indices behind the last comma.
        separator: between the labels; None is any number of blanks. Names that have
            blanks need another, such as ``;``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is malformed; file and line are named.
    """
    for number, line in read_lines(path):
        where = f'{path}:{number}'
        image, comma, text = line.partition(',') if names else line.rpartition(',')
        if not comma or not image.strip():
            raise ValueError(f'{where}: expected "image,labels", found {line!r}')
        labels = parse_labels(text, separator)
        if not names:
            try:
                labels = [int(label) for label in labels]
            except ValueError:
                raise ValueError(
                    f'{where}: labels are 0-based indices, found {text.strip()!r}; '
                    '--names reads names'
                ) from None
        yield SourceRow(where, image.strip(), labels)
