"""The labels of a whole annotation file, small enough to be held."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np


class LabelTable:
    """Known positives and negatives of N images, stored as lists of indices.

    Sets with many classes have few labels an image: nine million images with 600
    classes take 5 GB as a matrix and 0.2 GB here.

    Args:
        labels: ``(positives, negatives)`` of each image.
        num_classes: C.
        unlisted: what a label is that is neither: 0, known negative, or -1, unknown.
        images: the paths of the N images, for protocols that go by name or order.
    """

    def __init__(
        self,
        labels: Iterable[tuple[Sequence[int], Sequence[int]]],
        num_classes: int,
        unlisted: int,
        images: Sequence[str] = (),
    ) -> None:
        self.num_classes = num_classes
        self.unlisted = unlisted
        self.images = images
        positives, negatives = [], []
        for positive, negative in labels:
            positives.append(np.array(positive, dtype=np.int32))
            negatives.append(np.array(negative, dtype=np.int32))
        self._positives = _join(positives)
        self._negatives = _join(negatives)

    def __len__(self) -> int:
        return len(self._positives[1]) - 1

    def row(self, index: int) -> np.ndarray:
        """``(C,)`` int8 in {1, 0, -1}."""
        row = np.full(self.num_classes, self.unlisted, dtype=np.int8)
        for (values, starts), state in ((self._positives, 1), (self._negatives, 0)):
            row[values[starts[index] : starts[index + 1]]] = state
        return row

    def rows(self) -> Iterator[np.ndarray]:
        """The rows of all images, in order."""
        return map(self.row, range(len(self)))

    def has_positive(self) -> np.ndarray:
        """Which images have a known positive, ``(N,)`` bool."""
        return np.diff(self._positives[1]) > 0

    def class_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Known positives and known labels of each class, both ``(C,)`` int64."""
        positives, negatives = (
            np.bincount(values, minlength=self.num_classes)
            for values, _ in (self._positives, self._negatives)
        )
        if self.unlisted == 0:
            return positives, np.full(self.num_classes, len(self))
        return positives, positives + negatives

    def images_of_class(self) -> list[np.ndarray]:
        """For each class the positions of the images that have it, ascending."""
        values, starts = self._positives
        image_of = np.repeat(np.arange(len(self)), np.diff(starts))
        order = np.argsort(values, kind='stable')
        ends = np.cumsum(np.bincount(values, minlength=self.num_classes))
        return np.split(image_of[order], ends[:-1])


def _join(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of different lengths -> all values, and where each row starts."""
    starts = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    values = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
    return values, starts
