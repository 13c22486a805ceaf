"""Annotation files in OpenMMLab's JSON format, written an image at a time."""

import json
import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..base import UNLISTED
from ..class_names import load_class_names

# The labels of this many images are counted at a time: counting them singly would
# cost more than writing them.
_COUNT_EVERY = 1 << 13


class AnnotationWriter:
    """Writes the file that ``IncompleteMultiLabelDataset`` reads.

    The rows go to a temporary file beside ``path``, which takes its place when the
    ``with`` block ends well. If the block ends with an error or an interruption, the
    temporary file is removed and whatever stood at ``path`` before is still there.
    Nothing is kept of a row but its share of the counts, so an image that is added
    twice goes unnoticed here: that is the reader's to tell.

    .. code-block:: python

        with AnnotationWriter('train.json', ['cat', 'dog'], 'unknown') as writer:
            writer.add('a.jpg', positives=[0], negatives=[1])
        print(writer.statistics)

    Args:
        path: the file to write; its folder is made if it is not there.
        classes: the C label names.
        unlisted: what a label is that an image lists neither as positive nor as
            negative, ``'negative'`` or ``'unknown'``.
        metainfo: more entries for the file's ``metainfo``.
        overwrite: whether a file at ``path`` may be replaced.

    Raises:
        ValueError: ``path`` exists and may not be replaced, or ``unlisted`` or the
            names are wrong.
    """

    def __init__(
        self,
        path: Union[str, Path],
        classes: Sequence[str],
        unlisted: str = 'negative',
        metainfo: Optional[dict] = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        self.classes = load_class_names(list(classes), f'classes of {self.path}')
        if unlisted not in UNLISTED:
            raise ValueError(
                f"unlisted must be 'negative' or 'unknown', found {unlisted!r}"
            )
        if self.path.exists() and not overwrite:
            raise ValueError(
                f'{self.path} exists: remove it, choose another name, or allow '
                'overwriting'
            )
        self.unlisted = unlisted
        self.metainfo = {
            **(metainfo or {}),
            'classes': self.classes,
            'unlisted': unlisted,
        }
        self._size = len(self.classes)
        self._temporary = self.path.with_name(f'.{self.path.name}.{os.getpid()}.part')
        self._file = None
        self._images = 0
        self._empty = 0
        # positives, negatives
        self._counts = np.zeros((2, self._size), dtype=np.int64)
        self._pending = (array('i'), array('i'))
        # Prepared once, json.dumps would prepare it for every row.
        self._quote = json.JSONEncoder(ensure_ascii=False).encode

    def __enter__(self) -> 'AnnotationWriter':
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._temporary, 'w', encoding='utf-8', newline='\n')
        self._file.write(f'{{"metainfo": {self._quote(self.metainfo)},\n')
        self._file.write('"data_list": [')
        return self

    def __exit__(self, error, *_) -> None:
        try:
            with self._file as file:
                if error is None:
                    file.write('\n]}\n')
            if error is None:
                os.replace(self._temporary, self.path)
        finally:
            self._file = None
            self._temporary.unlink(missing_ok=True)

    def add(
        self,
        img_path: str,
        positives: Sequence[int],
        negatives: Sequence[int] = (),
        extra: Optional[dict] = None,
    ) -> None:
        """Write an image.

        Args:
            img_path: as the dataset will look for it, under its ``data_prefix``.
            positives: indices of the known positives, in any order.
            negatives: indices of the known negatives; with
                ``unlisted='negative'`` they need not be given.
            extra: further entries of the image, such as the provenance of its labels.

        Raises:
            ValueError: outside the ``with`` block, or an index that is out of range,
                given twice, or both positive and negative.
        """
        if self._file is None:
            raise ValueError(
                f'{self.path}: images are added inside "with AnnotationWriter(...)"'
            )
        # int() also of NumPy's integers, which JSON does not know.
        positives = sorted(map(int, positives))
        negatives = sorted(map(int, negatives))
        both = positives + negatives
        if both and (
            len(set(both)) < len(both) or min(both) < 0 or max(both) >= self._size
        ):
            raise self._wrong(img_path, positives, negatives)
        row = f'{{"img_path": {self._quote(img_path)}, "gt_label": {positives}'
        if negatives:
            row += f', "negative_label": {negatives}'
        if extra:
            # Behind a comma, without the brace that opens it.
            row += f', {self._quote(extra)[1:-1]}'
        self._file.write((',\n' if self._images else '\n') + row + '}')
        self._images += 1
        self._empty += not positives
        self._pending[0].extend(positives)
        self._pending[1].extend(negatives)
        if self._images % _COUNT_EVERY == 0:
            self._count()

    @property
    def statistics(self) -> dict:
        """Counts of what has been written so far.

        ``images``; ``labels`` (C); ``positives``, ``negatives``, ``unknowns`` over all
        images; ``label_cardinality`` (positives an image);
        ``images_without_positive``; and ``per_class``, the three counts by class name.
        """
        self._count()
        positives, negatives = self._counts
        if self.unlisted == 'negative':
            negatives = self._images - positives
        unknowns = self._images - positives - negatives
        table = dict(positives=positives, negatives=negatives, unknowns=unknowns)
        totals = {name: int(counts.sum()) for name, counts in table.items()}
        return dict(
            images=self._images,
            labels=self._size,
            **totals,
            label_cardinality=round(totals['positives'] / max(self._images, 1), 6),
            images_without_positive=self._empty,
            per_class={
                name: {kind: int(counts[i]) for kind, counts in table.items()}
                for i, name in enumerate(self.classes)
            },
        )

    def _count(self) -> None:
        for counts, pending in zip(self._counts, self._pending):
            if pending:
                counts += np.bincount(
                    np.frombuffer(pending, dtype=np.int32), minlength=len(counts)
                )
                del pending[:]

    def _wrong(
        self, img_path: str, positives: list[int], negatives: list[int]
    ) -> ValueError:
        where = f'{self.path}, image {img_path}'
        for kind, labels in (('positive', positives), ('negative', negatives)):
            for label, following in zip(labels, [*labels[1:], None]):
                if not 0 <= label < self._size:
                    return ValueError(
                        f'{where}: {kind} label {label} is outside 0..{self._size - 1},'
                        f' there are {self._size} classes'
                    )
                if label == following:
                    return ValueError(
                        f'{where}: {kind} label {label} ({self.classes[label]!r}) is '
                        'given twice'
                    )
        both = min(set(positives) & set(negatives))
        return ValueError(
            f'{where}: label {both} ({self.classes[both]!r}) is both positive and '
            'negative'
        )
