"""Text files with one item a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Union


def read_lines(path: Union[str, Path]) -> Iterator[tuple[int, str]]:
    """Yield number (1-based) and text of each line that is not blank.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not UTF-8 text, with or without a byte order mark.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file at {path}')
    number = 0
    with open(path, encoding='utf-8-sig') as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip('\n')
        except UnicodeDecodeError as error:
            raise ValueError(
                f'{path}, after line {number}: not UTF-8 text: {error}'
            ) from None


def read_table(path: Union[str, Path], columns: int) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of lines whose last field may hold spaces.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line has fewer than ``columns`` fields.
    """
    for number, line in read_lines(path):
        fields = line.split(None, columns - 1)
        if len(fields) < columns:
            raise ValueError(
                f'{path}:{number}: expected {columns} fields, found {line!r}'
            )
        yield number, [field.strip() for field in fields]
