"""Where the labels of an annotation file come from: ``provenance`` of each image.

.. code-block:: none

    {"img_path": "a.jpg", "gt_label": [0, 4], "negative_label": [2],
     "provenance": {"0": "known", "2": "rejected", "4": "proposed"},
     "confidence": {"4": 0.93}}

The keys are label indices, as strings. A label without an entry is ``known``, so every
annotation file is one with provenance.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np

from ..base import UNLISTED
from ..json_dataset import IncompleteMultiLabelDataset
from ..label_list import read_label_list
from ..list_dataset import MultiLabelListDataset

KNOWN, PROPOSED, ACCEPTED, REJECTED = 'known', 'proposed', 'accepted', 'rejected'
PROVENANCE = (KNOWN, PROPOSED, ACCEPTED, REJECTED)
#: What we write of an image; its other entries are handed on.
_OWN_KEYS = ('img_path', 'gt_label', 'negative_label', 'provenance', 'confidence')


class TracedRecord(NamedTuple):
    """An image, the arguments of ``AnnotationWriter.add``; ``extra`` has provenance."""

    img_path: str
    positives: list[int]
    negatives: list[int]
    extra: dict


class TracedLabels(NamedTuple):
    """An annotation file, whole.

    Attributes:
        classes: C names.
        unlisted: what labels are that an image does not list: ``unknown`` if any is.
        images: N paths, as in the file.
        states: ``(N, C)`` int8 in {1, 0, -1}. What was ``proposed`` only is unknown.
        provenance: for each image the labels that a review ``accepted`` or
            ``rejected``, by label index.
        extra: for each image what else the file says of it.
        metainfo: of the file.
    """

    classes: list[str]
    unlisted: str
    images: list[str]
    states: np.ndarray
    provenance: list[dict[int, str]]
    extra: list[dict]
    metainfo: dict

    def record(
        self,
        index: int,
        row: np.ndarray,
        provenance: dict[int, str],
        confidence: Optional[dict[int, float]] = None,
    ) -> TracedRecord:
        """An image with new labels.

        Args:
            index: of the image.
            row: ``(C,)`` in {1, 0, -1}.
            provenance: of the labels that are not merely known, by label index.
            confidence: of proposals, by label index.
        """
        positives = np.flatnonzero(row == 1).tolist()
        absent = np.flatnonzero(row == 0).tolist()
        # Where all that is not listed is negative, what people or models said is.
        listed = self.unlisted == 'unknown'
        negatives = absent if listed else [c for c in absent if c in provenance]
        sources = {
            str(c): provenance.get(c, KNOWN) for c in sorted(positives + negatives)
        }
        extra = {**self.extra[index], 'provenance': sources}
        if confidence:
            extra['confidence'] = {
                str(c): round(float(confidence[c]), 6) for c in sorted(confidence)
            }
        return TracedRecord(self.images[index], positives, negatives, extra)


def read_traced_labels(
    path: Union[str, Path],
    classes: Optional[Sequence[str]] = None,
    unlisted: Optional[str] = None,
) -> TracedLabels:
    """Read OpenMMLab's JSON, or a list file with lines ``name.jpg,3 17``.

    Args:
        path: the file; a list is one whose name does not end with ``.json``.
        classes: names that a list counts in; a JSON file has its own.
        unlisted: what labels are that an image does not list; None takes what the file
            says, or ``negative``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: what the datasets of these formats refuse, or a provenance that is
            none; file and image are named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file at {path}')
    options = dict(
        ann_file=str(path), unlisted=unlisted, pipeline=[], lazy_init=True, data_root=''
    )
    if path.suffix == '.json':
        try:
            dataset = IncompleteMultiLabelDataset(**options)
            rows = dataset.load_data_list()
        except json.JSONDecodeError as error:
            raise ValueError(f'{path}:{error.lineno}: not JSON: {error.msg}') from error
        # What mmengine raises of a file that is something else.
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f'{path} is no annotation file of OpenMMLab: {error}. Other formats '
                'are converted by tools/dataset_converters/from_files.py'
            ) from error
        except UnicodeDecodeError as error:
            raise ValueError(f'{path}: not UTF-8 text: {error}') from error
    else:
        if path.suffix == '.csv':
            raise ValueError(
                f'{path}: CSV is converted to JSON first, by python '
                f'tools/dataset_converters/from_files.py csv {path}'
            )
        dataset = MultiLabelListDataset(**options, classes=classes)
        rows = dataset.load_data_list()
        # As in the file: the dataset joins them with its folder.
        for row, entry in zip(rows, read_label_list(path)):
            row['img_path'] = entry.image
    names = list(dataset.CLASSES)
    states = np.full((len(rows), len(names)), UNLISTED[dataset.unlisted], np.int8)
    provenance = []
    for position, row in enumerate(rows):
        states[position, row['gt_label']] = 1
        states[position, row.get('negative_label', [])] = 0
        where = f'{path}, data_list[{position}]'
        sources = _sources(row.get('provenance'), len(names), where)
        states[position, [c for c, s in sources.items() if s == PROPOSED]] = -1
        provenance.append(
            {c: s for c, s in sources.items() if s in (ACCEPTED, REJECTED)}
        )
    return TracedLabels(
        names,
        'unknown' if (states == -1).any() else dataset.unlisted,
        [row['img_path'] for row in rows],
        states,
        provenance,
        [_others(row) for row in rows],
        {k: v for k, v in dataset.metainfo.items() if k not in ('classes', 'unlisted')},
    )


def _others(row: dict) -> dict:
    ours = (*_OWN_KEYS, 'position', 'where', 'line', 'sample_idx')
    return {key: value for key, value in row.items() if key not in ours}


def _sources(found, num_classes: int, where: str) -> dict[int, str]:
    if found is None:
        return {}
    sources = {}
    for key, source in found.items() if isinstance(found, dict) else [(found, None)]:
        index = int(key) if isinstance(key, str) and key.isdecimal() else -1
        if not 0 <= index < num_classes or source not in PROVENANCE:
            raise ValueError(
                f'{where}: provenance gives each label index one of {PROVENANCE}, '
                f'found {key!r}: {source!r}'
            )
        sources[index] = source
    return sources
