"""Predictions as files: JSON and CSV, whole or not at all."""

import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, TextIO, Union

SEPARATOR = ';'


@contextmanager
def new_text_file(path: Union[str, Path]) -> Iterator[TextIO]:
    """Write a text file that appears at the end of the block, if all went well."""
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix='.tmp')
    try:
        with os.fdopen(handle, 'w', encoding='utf-8', newline='') as file:
            yield file
        os.chmod(temporary, path.parent.stat().st_mode & 0o666)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


class CSVWriter:
    """A line a photo: path, labels, error, and a column with the scores of each label.

    ``tools/dataset_converters/from_files.py csv FILE --labels-column labels --separator
    ";"`` reads it as annotations.

    Raises:
        ValueError: a label has the separator in its name.
    """

    def __init__(self, file: TextIO, classes: Sequence[str]) -> None:
        bad = [name for name in classes if SEPARATOR in name]
        if bad:
            raise ValueError(
                f'CSV: the label {bad[0]!r} holds {SEPARATOR!r}, which separates '
                'labels there. Write JSON'
            )
        self._lines = csv.writer(file, lineterminator='\n')
        self._blank = [''] * len(classes)
        scores = [f'score: {name}' for name in classes]
        self._lines.writerow(['image', 'labels', 'error', *scores])

    def write(self, result: dict) -> None:
        """Add a result of :class:`MultiLabelInferencer`."""
        path, error = result['img_path'], result['error']
        if error is not None:
            self._lines.writerow([path, '', error, *self._blank])
            return
        labels = SEPARATOR.join(result['labels'])
        scores = [f'{score:.6g}' for score in result['scores'].tolist()]
        self._lines.writerow([path, labels, '', *scores])

    def close(self) -> None:
        """Nothing is left to write."""


class JSONWriter:
    """One object: ``classes``, ``rule`` and ``predictions``, one a photo.

    A prediction has ``img_path``, ``labels``, ``scores`` (C numbers), with a decisions
    file ``probabilities``; or ``img_path`` and ``error``.
    """

    def __init__(self, file: TextIO, classes: Sequence[str], rule: dict) -> None:
        self._file = file
        self._before = '\n'
        head = json.dumps(dict(classes=list(classes), rule=rule), ensure_ascii=False)
        file.write(f'{head[:-1]}, "predictions": [')

    def write(self, result: dict) -> None:
        """Add a result of :class:`MultiLabelInferencer`."""
        entry = {key: _plain(value) for key, value in result.items()}
        entry.pop('decisions', None)
        if entry['error'] is None:
            entry.pop('error')
        text = json.dumps(entry, ensure_ascii=False, allow_nan=False)
        self._file.write(self._before + text)
        self._before = ',\n'

    def close(self) -> None:
        """End the object."""
        self._file.write('\n]}\n')


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, 'tolist') else value


def write_on_the_way(
    results: Iterable[dict],
    classes: Sequence[str],
    rule: dict,
    json_file: Optional[TextIO] = None,
    csv_file: Optional[TextIO] = None,
) -> Iterator[dict]:
    """Pass results on, and write each of them.

    Args:
        results: of :meth:`MultiLabelInferencer.stream`.
        classes: C names.
        rule: how labels were chosen.
        json_file: file to write JSON to.
        csv_file: file to write CSV to.
    """
    writers = []
    if json_file is not None:
        writers.append(JSONWriter(json_file, classes, rule))
    if csv_file is not None:
        writers.append(CSVWriter(csv_file, classes))
    for result in results:
        for writer in writers:
            writer.write(result)
        yield result
    for writer in writers:
        writer.close()
