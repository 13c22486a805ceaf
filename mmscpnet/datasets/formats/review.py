"""Decisions of a review, merged into the annotation that was reviewed.

The page of ``tools/complete_labels.py --html`` saves them as JSON or CSV:

.. code-block:: none

    {"format": "mmscpnet-review", "version": 1, "source": "train.json", "decisions":
     [{"image": "a.jpg", "label": "cat", "decision": "accepted"}, ...]}

    image,label,decision
    a.jpg,cat,accepted
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

from ..class_names import describe_difference
from .own_rows import SourceRow
from .provenance import ACCEPTED, REJECTED, TracedLabels, read_traced_labels

FORMAT, VERSION = 'mmscpnet-review', 1
COLUMNS = ['image', 'label', 'decision']
STATES = {ACCEPTED: 1, REJECTED: 0}


class Decision(NamedTuple):
    """What a person says of a label of an image, and where: ``review.csv:3``."""

    where: str
    image: str
    label: str
    decision: str


def read_decisions(path: Union[str, Path]) -> list[Decision]:
    """Read a file that the page has saved.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is something else, or says two things of a label; the place is
            named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file of decisions at {path}')
    read = _from_csv if path.suffix.lower() == '.csv' else _from_json
    try:
        found = list(read(path))
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not UTF-8 text: {error}') from None
    first: dict[tuple, Decision] = {}
    for entry in found:
        if entry.decision not in STATES:
            raise ValueError(
                f'{entry.where}: the decision must be one of {list(STATES)}, found '
                f'{entry.decision!r}'
            )
        earlier = first.setdefault((entry.image, entry.label), entry)
        if earlier.decision != entry.decision:
            raise ValueError(
                f'{entry.where}: {entry.label!r} of {entry.image} is {entry.decision}, '
                f'but {earlier.decision} in {earlier.where}'
            )
    return list(first.values())


def _from_csv(path: Path) -> Iterator[Decision]:
    with open(path, encoding='utf-8-sig', newline='') as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != COLUMNS:
            raise ValueError(
                f'{path}:1: the columns must be {",".join(COLUMNS)}, found '
                f'{",".join(header)}'
            )
        for row in reader:
            where = f'{path}:{reader.line_num}'
            if len(row) != len(COLUMNS):
                raise ValueError(
                    f'{where}: {len(row)} fields, but the header has {len(COLUMNS)}'
                )
            yield Decision(where, *row)


def _from_json(path: Path) -> Iterator[Decision]:
    try:
        content = json.loads(path.read_text(encoding='utf-8-sig'))
    except json.JSONDecodeError as error:
        raise ValueError(f'{path}:{error.lineno}: not JSON: {error.msg}') from None
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise ValueError(
            f'{path} has no decisions of a review (format: {FORMAT!r} is missing)'
        )
    if content.get('version') != VERSION:
        raise ValueError(
            f'{path}: version {content.get("version")!r} is not known, only {VERSION}'
        )
    decisions = content.get('decisions')
    if not isinstance(decisions, list):
        raise ValueError(f'{path}: decisions must be a list, found {decisions!r}')
    for position, entry in enumerate(decisions):
        where = f'{path}, decisions[{position}]'
        fields = [
            entry.get(key) if isinstance(entry, dict) else None for key in COLUMNS
        ]
        if not all(isinstance(field, str) for field in fields):
            raise ValueError(
                f'{where} must have {", ".join(COLUMNS)} as texts, found {entry!r}'
            )
        yield Decision(where, *fields)


def merge_decisions(
    labels: TracedLabels, decisions: Sequence[Decision], owner: Union[str, Path]
) -> tuple[list[SourceRow], dict[str, dict]]:
    """Rows of an annotation file with what a review says of their labels.

    Accepted labels become 1 and rejected ones 0, whatever they were; proposals without
    a decision are unknown, and known labels stay.

    Args:
        labels: of the file that was reviewed.
        decisions: of the review.
        owner: the annotation file, for the messages.

    Returns:
        tuple: the rows, and what else is to be kept of each image, by its path: the
        provenance of its labels, and what the file says beside the labels.

    Raises:
        ValueError: a decision is of an image or a label that the file does not have,
            or of an image that it has twice.
    """
    rows: dict[str, int] = {}
    twice = set()
    for index, image in enumerate(labels.images):
        if image in rows:
            twice.add(image)
        rows[image] = index
    columns = {name: index for index, name in enumerate(labels.classes)}
    states = labels.states.copy()
    provenance = [dict(sources) for sources in labels.provenance]
    for where, image, label, decision in decisions:
        if image not in rows or label not in columns:
            kind, name = ('image', image) if image not in rows else ('label', label)
            raise ValueError(f'{where}: {owner} has no {kind} {name!r}')
        if image in twice:
            raise ValueError(f'{where}: {image} is listed twice in {owner}')
        index, column = rows[image], columns[label]
        states[index, column] = STATES[decision]
        provenance[index][column] = decision
    merged, extra = [], {}
    for index, row in enumerate(states):
        record = labels.record(index, row, provenance[index])
        # Absence of labels that are not listed is said, too: the rows have states.
        negatives = (row == 0).nonzero()[0].tolist()
        merged.append(
            SourceRow(
                f'{owner}, data_list[{index}]',
                record.img_path,
                record.positives,
                negatives,
            )
        )
        extra[record.img_path] = record.extra
    return merged, extra


def read_review(
    path: Path,
    ann: Path,
    classes: Optional[Sequence[str]] = None,
    unlisted: Optional[str] = None,
) -> tuple[list[str], list[SourceRow], dict[str, dict]]:
    """The annotation that was reviewed, with the decisions of a file.

    Args:
        path: file of decisions.
        ann: annotation file.
        classes, unlisted: see :func:`read_traced_labels`.

    Returns:
        tuple: class names, and what :func:`merge_decisions` gives.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the names are not those of a JSON file; see also
            :func:`read_decisions` and :func:`merge_decisions`.
    """
    labels = read_traced_labels(ann, classes, unlisted)
    if classes is not None and list(classes) != labels.classes:
        raise ValueError(
            f'--classes: {ann} has names of its own, in another order or number: '
            + describe_difference(list(classes), labels.classes)
        )
    return labels.classes, *merge_decisions(labels, read_decisions(path), ann)
