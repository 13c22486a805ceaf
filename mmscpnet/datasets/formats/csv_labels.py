"""CSV files: a column a class, or a column with the names of the labels."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional, Union

from .own_rows import SourceRow, parse_labels

POSITIVE, NEGATIVE, UNKNOWN = ('1', '1.0'), ('0', '0.0'), ('', '-1', '-1.0')


class CsvTable(NamedTuple):
    """``classes``: the columns, or None where a column has the names."""

    classes: Optional[list[str]]
    rows: list[SourceRow]


def read_csv(
    path: Union[str, Path],
    delimiter: str = ',',
    image_column: Optional[str] = None,
    labels_column: Optional[str] = None,
    separator: str = ';',
) -> CsvTable:
    """Read a CSV file with a header.

    With ``labels_column``, that column has names, separated by ``separator``. Without,
    every column but that of the image is a class: 1 is a known positive, 0 a known
    negative, nothing (or -1) unknown.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        delimiter: between the columns.
        image_column: header of the column with the file names; the first by default.
        labels_column: header of the column with the label names.
        separator: between the names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a header is missing, or a row is malformed; file and line are named.
    """
    path = Path(path)
    lines = _lines(path, delimiter)
    try:
        number, header = next(lines)
    except StopIteration:
        raise ValueError(f'{path}: the file is empty; a header is needed') from None
    header = [name.strip() for name in header]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ValueError(f'{path}:{number}: column {repeated[0]!r} occurs twice')
    columns = {name: position for position, name in enumerate(header)}
    for column in (image_column, labels_column):
        if column is not None and column not in columns:
            raise ValueError(
                f'{path}:{number}: there is no column {column!r}, the columns are '
                f'{header}'
            )
    image = columns[image_column] if image_column else 0
    if labels_column is None:
        return _read_matrix(path, lines, header, image)
    labels = columns[labels_column]
    return CsvTable(
        None,
        [
            SourceRow(where, row[image].strip(), parse_labels(row[labels], separator))
            for where, row in _rows(path, lines, header)
        ],
    )


def _read_matrix(path: Path, lines: Iterator, header: list[str], image: int):
    classes = [name for position, name in enumerate(header) if position != image]
    if not classes:
        raise ValueError(f'{path}: beside the image there is no column for a class')
    if '' in classes:
        raise ValueError(f'{path}: column {header.index("") + 1} has no name')
    rows = []
    for where, row in _rows(path, lines, header):
        positives, negatives = [], []
        for position, cell in enumerate(row):
            if position == image:
                continue
            cell = cell.strip()
            if cell in POSITIVE:
                positives.append(header[position])
            elif cell in NEGATIVE:
                negatives.append(header[position])
            elif cell not in UNKNOWN:
                raise ValueError(
                    f'{where}: column {header[position]!r} must be 1, 0 or empty, '
                    f'found {cell!r}'
                )
        rows.append(SourceRow(where, row[image].strip(), positives, negatives))
    return CsvTable(classes, rows)


def _rows(path: Path, lines: Iterator, header: list[str]) -> Iterator[tuple]:
    for number, row in lines:
        where = f'{path}:{number}'
        if len(row) != len(header):
            raise ValueError(
                f'{where}: {len(row)} fields, but the header has {len(header)}'
            )
        yield where, row


def _lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the last line of each row that is not blank, and its fields."""
    if not path.is_file():
        raise FileNotFoundError(f'there is no file at {path}')
    with open(path, encoding='utf-8-sig', newline='') as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
        except csv.Error as error:
            raise ValueError(f'{path}:{reader.line_num}: not CSV: {error}') from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f'{path}, after line {reader.line_num}: not UTF-8 text: {error}'
            ) from None
