"""Human-verified image-level labels of Open Images, V3 and later.

A row says that a person found a label in an image (1) or found it absent (0); of all
other labels nothing is known. Rows are read one at a time: the files have up to 60
million of them.
"""

import csv
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Optional, Union

import numpy as np

from .records import LabelRecord

HEADER = ['ImageID', 'Source', 'LabelName', 'Confidence']
CONFLICTS = ('unknown', 'error')
_VERDICTS = {'1': 1, '0': 0, '1.0': 1, '0.0': 0}
_CONTRADICTED = -1


def read_class_descriptions(path: Union[str, Path]) -> dict[str, str]:
    """Names by machine label (``/m/...``), in the order of the file.

    A name that several labels share gets the label behind it, so that names differ.

    Args:
        path: ``class-descriptions*.csv``, rows ``/m/011k07,Tortoise``; the header that
            some versions have is passed over.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row without name, or a label that occurs twice.
    """
    rows: dict[str, str] = {}
    for number, row in _numbered_rows(path):
        if len(row) != 2 or not row[1].strip():
            raise ValueError(f'{path}:{number}: expected "label,name", found {row}')
        if row[0] in rows:
            raise ValueError(f'{path}:{number}: label {row[0]} occurs twice')
        rows[row[0]] = row[1].strip()
    if not rows:
        raise ValueError(f'{path} describes no label (/m/..., /g/... or /t/...)')
    shared = {name for name, count in Counter(rows.values()).items() if count > 1}
    return {
        label: f'{name} ({label})' if name in shared else name
        for label, name in rows.items()
    }


def read_label_choice(path: Union[str, Path]) -> list[str]:
    """Machine labels of a file such as ``classes-trainable.txt``: its first column."""
    labels = [row[0] for _, row in _numbered_rows(path)]
    if not labels:
        raise ValueError(f'{path} names no label (/m/..., /g/... or /t/...)')
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ValueError(f'{path}: label {twice[0]} occurs twice')
    return labels


def _numbered_rows(path: Union[str, Path]) -> Iterator[tuple[int, list[str]]]:
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file of labels at {path}')
    with open(path, encoding='utf-8', newline='') as file:
        for row in (reader := csv.reader(file)):
            # A header's first field is "LabelName" or "id".
            if not row or (reader.line_num == 1 and not row[0].startswith('/')):
                continue
            if not row[0].startswith('/'):
                raise ValueError(
                    f'{path}:{reader.line_num}: {row[0]!r} is not a label such as '
                    '/m/011k07'
                )
            yield reader.line_num, row


class OpenImagesLabels:
    """Reads one file of rows, an image at a time.

    The rows of an image must stand together, as they do in the official files. Eight
    bytes an image are kept to find out if they do not; then the last ``next()`` raises.

    Args:
        lines: the lines of the file, header first.
        index_of: label index by machine label; rows of other labels are left out, and
            so is an image that has no other rows.
        where: the file's name, for the messages.
        conflicts: what becomes of a label that an image has both as verified and as
            refuted: ``'unknown'``, or ``'error'`` to refuse the file.

    Attributes:
        rows (dict[str, int]): after reading: ``positive_rows`` and ``negative_rows``
            of the file, ``rows_of_other_labels``, ``images_of_other_labels`` that were
            left out, and ``contradictions``.
    """

    def __init__(
        self,
        lines: Iterable[str],
        index_of: Mapping[str, int],
        where: Union[str, Path],
        conflicts: str = 'unknown',
    ) -> None:
        if conflicts not in CONFLICTS:
            raise ValueError(
                f'conflicts must be one of {CONFLICTS}, found {conflicts!r}'
            )
        self.lines = lines
        self.index_of = index_of
        self.where = where
        self.conflicts = conflicts
        self.rows = dict.fromkeys(
            (
                'positive_rows',
                'negative_rows',
                'rows_of_other_labels',
                'images_of_other_labels',
                'contradictions',
            ),
            0,
        )

    def __iter__(self) -> Iterator[LabelRecord]:
        reader = csv.reader(self.lines)
        header = next(reader, [])
        if header != HEADER:
            raise ValueError(
                f'{self.where}:1: expected the header {",".join(HEADER)}, found '
                f'{",".join(header)!r}'
            )
        seen = array('q')
        in_order = True
        index_of, verdicts = self.index_of, _VERDICTS
        image: Optional[str] = None
        labels: dict[int, int] = {}
        counts, others = [0, 0], 0
        for row in reader:
            try:
                name, _, label, confidence = row
                verdict = verdicts[confidence]
            except (ValueError, KeyError):
                raise self._malformed(reader.line_num, row) from None
            if name != image:
                if image is not None:
                    in_order = in_order and name > image
                    if labels:
                        yield self._record(image, labels)
                    else:
                        self.rows['images_of_other_labels'] += 1
                image, labels = name, {}
                seen.append(hash(name))
            counts[verdict] += 1
            index = index_of.get(label)
            if index is None:
                others += 1
            elif labels.setdefault(index, verdict) != verdict:
                self._contradiction(reader.line_num, name, label, labels, index)
        if labels:
            yield self._record(image, labels)
        elif image is not None:
            self.rows['images_of_other_labels'] += 1
        self.rows.update(
            negative_rows=counts[0],
            positive_rows=counts[1],
            rows_of_other_labels=others,
        )
        if not in_order:
            self._check_contiguous(seen)

    def _record(self, image: str, labels: dict[int, int]) -> LabelRecord:
        positives, negatives = [], []
        for index, verdict in labels.items():
            if verdict == 1:
                positives.append(index)
            elif verdict == 0:
                negatives.append(index)
        return LabelRecord(f'{image}.jpg', positives, negatives)

    def _contradiction(
        self, line: int, image: str, label: str, labels: dict, index: int
    ) -> None:
        if self.conflicts == 'error':
            raise ValueError(
                f'{self.where}:{line}: image {image} has label {label} both as '
                "verified and as refuted; conflicts='unknown' takes it as unknown"
            )
        self.rows['contradictions'] += labels[index] != _CONTRADICTED
        labels[index] = _CONTRADICTED

    def _check_contiguous(self, seen: array) -> None:
        if len(np.unique(np.frombuffer(seen, dtype=np.int64))) < len(seen):
            raise ValueError(
                f'{self.where}: the rows of some image do not stand together; sort the '
                'file first, or let --sort do it'
            )

    def _malformed(self, line: int, row: list[str]) -> ValueError:
        if len(row) != len(HEADER):
            return ValueError(
                f'{self.where}:{line}: expected {",".join(HEADER)}, found '
                f'{",".join(row)!r}'
            )
        return ValueError(
            f'{self.where}:{line}: Confidence must be 1 (verified) or 0 (refuted), '
            f'found {row[-1]!r}; machine-generated labels have fractions and are not '
            'known labels'
        )
