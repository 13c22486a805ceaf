"""Rows of a user's own files, on their way to records with label indices."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Optional, Union

from ..class_names import load_class_names
from .records import LabelRecord

Label = Union[str, int]
EMPTY = ('refuse', 'keep', 'drop')
DUPLICATES = ('refuse', 'merge')


class SourceRow(NamedTuple):
    """What a file says about an image, and where: ``labels.csv:3``.

    Labels are names, or indices where the file has indices.
    """

    where: str
    image: str
    positives: Sequence[Label]
    negatives: Sequence[Label] = ()


class OwnRecord(NamedTuple):
    """A :class:`LabelRecord` that still knows where it comes from."""

    where: str
    record: LabelRecord


def names_in(rows: Iterable[SourceRow]) -> list[str]:
    """The class names that occur, sorted.

    Raises:
        ValueError: a label is an index, which names no class, or there is no label.
    """
    found = set()
    for row in rows:
        for label in (*row.positives, *row.negatives):
            if not isinstance(label, str):
                raise ValueError(
                    f'{row.where}: label {label} is an index; give --classes a file '
                    'with a name a line, in the order of the indices'
                )
            found.add(label)
    if not found:
        raise ValueError('no image has a label, so there are no class names')
    return load_class_names(sorted(found))


def resolve_rows(
    rows: Iterable[SourceRow],
    classes: Sequence[str],
    empty: str = 'refuse',
    duplicates: str = 'refuse',
) -> list[OwnRecord]:
    """Turn rows into records, in the order in which images first occur.

    Args:
        rows: of a reader.
        classes: the C label names.
        empty: what becomes of an image without any label: ``'refuse'``, ``'keep'`` or
            ``'drop'``.
        duplicates: what becomes of an image that occurs again: ``'refuse'``, or
            ``'merge'``, which takes the labels of all its rows together.

    Raises:
        ValueError: a name is not among the classes, an index is out of range, a label
            is both positive and negative, or an image is empty or occurs twice and may
            not; file and line are named.
    """
    index_of = {name: index for index, name in enumerate(classes)}
    found: dict[str, tuple[str, set, set]] = {}
    for row in rows:
        if not row.image:
            raise ValueError(f'{row.where}: there is no file name')
        sets = [
            {_index(label, index_of, row.where) for label in labels}
            for labels in (row.positives, row.negatives)
        ]
        first = found.get(row.image)
        if first is not None and duplicates == 'refuse':
            raise ValueError(
                f'{row.where}: {row.image} occurs already in {first[0]}; --duplicates '
                'merge takes the labels of both'
            )
        if first is not None:
            sets = [first[1] | sets[0], first[2] | sets[1]]
        both = sets[0] & sets[1]
        if both:
            raise ValueError(
                f'{row.where}: {row.image}: {classes[min(both)]!r} is both positive '
                'and negative'
            )
        found[row.image] = (first[0] if first else row.where, *sets)
    records = []
    for image, (where, positives, negatives) in found.items():
        if not positives and not negatives:
            if empty == 'refuse':
                raise ValueError(
                    f'{where}: {image} has no label; --empty keep takes it as an image '
                    'without labels, --empty drop leaves it out'
                )
            if empty == 'drop':
                continue
        record = LabelRecord(image, sorted(positives), sorted(negatives))
        records.append(OwnRecord(where, record))
    return records


def split_records(
    records: Sequence[OwnRecord], chosen: Callable[[str], bool]
) -> tuple[list[OwnRecord], list[OwnRecord]]:
    """The records whose image is not chosen, and those whose image is."""
    parts: tuple[list, list] = ([], [])
    for own in records:
        parts[chosen(own.record.img_path)].append(own)
    return parts


def parse_labels(text: str, separator: Optional[str]) -> list[str]:
    """``'cat; dog'`` -> names, without blanks around them; None splits at spaces."""
    return [name.strip() for name in text.split(separator) if name.strip()]


def _index(label: Label, index_of: dict[str, int], where: str) -> int:
    if isinstance(label, int):
        if not 0 <= label < len(index_of):
            raise ValueError(
                f'{where}: label {label} is outside 0..{len(index_of) - 1}, there are '
                f'{len(index_of)} classes'
            )
        return label
    if label not in index_of:
        raise ValueError(f'{where}: {label!r} is not among the {len(index_of)} classes')
    return index_of[label]
