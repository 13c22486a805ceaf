"""Sets whose splits are list files: ``classes.txt``, ``train.txt``, ``test.txt``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ..class_names import load_class_names
from ..label_list import read_label_list
from .records import LabelRecord

SPLITS = ('train', 'test')


class ListedSet:
    """A folder with class names and a list for each split, as Corel5k and MSRC come.

    Args:
        root: the folder.
        splits: names of the lists, without ``.txt``; the first is for training.

    Attributes:
        classes (list[str]): the C label names.
        splits (dict[str, list[LabelRecord]]): the images by split.
        files (list[Path]): what was read.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a line is malformed, an index is out of range or given twice, or
            an image is in two splits; file and line are named.
    """

    def __init__(self, root: Union[str, Path], splits: Sequence[str] = SPLITS) -> None:
        root = Path(root)
        self.files = [root / 'classes.txt', *(root / f'{name}.txt' for name in splits)]
        self.classes = load_class_names(self.files[0])
        self.splits: dict[str, list[LabelRecord]] = {}
        place: dict[str, str] = {}
        for name, path in zip(splits, self.files[1:]):
            records = []
            for entry in read_label_list(path):
                where = f'{path}:{entry.line}'
                self._check(entry.positives, where)
                if entry.image in place:
                    raise ValueError(
                        f'{where}: {entry.image} is listed already in '
                        f'{place[entry.image]}'
                    )
                place[entry.image] = where
                records.append(LabelRecord(entry.image, sorted(entry.positives)))
            self.splits[name] = records

    def keep_frequent(self, min_positives: int) -> None:
        """Leave out classes with few positives in the first split.

        The others keep their order and are numbered anew. Images that lose all their
        labels go too, in every split.

        Raises:
            ValueError: no class has so many positives.
        """
        counts = Counter(
            label
            for record in next(iter(self.splits.values()))
            for label in record.positives
        )
        kept = [
            label
            for label in range(len(self.classes))
            if counts[label] >= min_positives
        ]
        if not kept:
            raise ValueError(f'no class has {min_positives} positives')
        renumbered = {label: index for index, label in enumerate(kept)}
        self.classes = [self.classes[label] for label in kept]
        for name, records in self.splits.items():
            self.splits[name] = [
                LabelRecord(record.img_path, positives)
                for record in records
                if (positives := _translate(record.positives, renumbered))
            ]

    def _check(self, labels: Sequence[int], where: str) -> None:
        for label in labels:
            if not 0 <= label < len(self.classes):
                raise ValueError(
                    f'{where}: label {label} is outside 0..{len(self.classes) - 1}, '
                    f'there are {len(self.classes)} classes'
                )
        if len(set(labels)) < len(labels):
            raise ValueError(f'{where}: a label is given twice: {sorted(labels)}')


def _translate(labels: Sequence[int], renumbered: dict[int, int]) -> list[int]:
    return [renumbered[label] for label in labels if label in renumbered]
