"""Counts of a label set, taken a block of images at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
from scipy.sparse import csr_array
from torch.utils.data import Dataset

from .base import ThreeStateDataset
from .dataset_wrappers import innermost_datasets
from .observed import label_blocks, masks_labels


class LabelStatistics:
    """What can be counted of labels in {1, 0, -1}, whatever the number of images.

    Args:
        num_classes: C.

    Attributes:
        images (int): how many were added.
        positives (numpy.ndarray): ``(C,)``, images on which a label is a known
            positive.
        negatives (numpy.ndarray): ``(C,)``, the same for known negatives.
        cardinality (numpy.ndarray): ``(C + 1,)``, how many images have 0, 1, ..., C
            known positives.
        without_label (int): images of which nothing is known, neither positive nor
            negative.
        cooccurrence (scipy.sparse.csr_array): ``(C, C)``, images on which both labels
            are known positives; the diagonal is :attr:`positives`.
    """

    def __init__(self, num_classes: int) -> None:
        self.images = 0
        self.positives = np.zeros(num_classes, dtype=np.int64)
        self.negatives = np.zeros(num_classes, dtype=np.int64)
        self.cardinality = np.zeros(num_classes + 1, dtype=np.int64)
        self.without_label = 0
        self.cooccurrence = csr_array((num_classes, num_classes), dtype=np.int64)

    def add(self, scores: np.ndarray) -> None:
        """Count some images.

        Args:
            scores: ``(n, C)`` in {1, 0, -1}.

        Raises:
            ValueError: another number of labels, or another value.
        """
        size = len(self.positives)
        if scores.ndim != 2 or scores.shape[1] != size:
            raise ValueError(f'labels of shape {scores.shape}, expected (n, {size})')
        positive, negative = scores == 1, scores == 0
        num_positive = np.count_nonzero(positive, axis=1)
        num_negative = np.count_nonzero(negative, axis=1)
        num_unknown = np.count_nonzero(scores == -1, axis=1)
        if (num_positive + num_negative + num_unknown != size).any():
            raise ValueError(
                'a label is not 1 (positive), 0 (negative) or -1 (unknown)'
            )
        self.images += len(scores)
        self.positives += np.count_nonzero(positive, axis=0)
        self.negatives += np.count_nonzero(negative, axis=0)
        self.cardinality += np.bincount(num_positive, minlength=size + 1)
        self.without_label += int(np.count_nonzero(num_unknown == size))
        rows, columns = np.nonzero(positive)
        ones = np.ones(len(rows), dtype=np.int64)
        present = csr_array((ones, (rows, columns)), shape=positive.shape)
        self.cooccurrence = self.cooccurrence + present.T @ present

    @property
    def unknowns(self) -> np.ndarray:
        """``(C,)``, images of which it is not known whether they show a label."""
        return self.images - self.positives - self.negatives

    @property
    def without_positive(self) -> int:
        """Images without a known positive."""
        return int(self.cardinality[0])

    @property
    def mean_cardinality(self) -> float:
        """Known positives an image, on average."""
        return float(self.positives.sum() / max(1, self.images))

    def strongest_pairs(self, count: int) -> list[tuple[int, int, int]]:
        """Labels that occur together most often.

        Returns:
            ``(images, a, b)`` with ``a < b``, most images first.
        """
        upper = self.cooccurrence.tocoo()
        chosen = (upper.row < upper.col) & (upper.data > 0)
        pairs = zip(upper.data[chosen], upper.row[chosen], upper.col[chosen])
        ordered = sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))
        return [tuple(map(int, pair)) for pair in ordered[:count]]


@dataclass
class SplitLabels:
    """The labels of a training, validation or test set.

    Attributes:
        name: such as ``train``.
        classes: C names.
        observed: labels as the model gets them.
        full: labels before the pipeline's label masking; None if there is none.
        contradictions: known labels that the labels before masking contradict.
        hidden_positives: ``(C,)``, images on which a label is unknown, but positive
            before masking; None if there is no masking.
        paths: of the photos, each as often as it is listed.
        samples: images an epoch, which wrappers may repeat.
    """

    name: str
    classes: list[str]
    observed: LabelStatistics
    full: Optional[LabelStatistics] = None
    contradictions: int = 0
    hidden_positives: Optional[np.ndarray] = None
    paths: list[str] = field(default_factory=list)
    samples: int = 0

    @property
    def truth(self) -> LabelStatistics:
        """The labels before masking, or as they are where nothing is masked."""
        return self.observed if self.full is None else self.full


def read_split(
    name: str, dataset: Dataset, progress: Optional[Callable[[int], None]] = None
) -> SplitLabels:
    """Count the labels of a dataset, with the label masking of its pipeline.

    Images are counted once, however often a wrapper repeats them.

    Args:
        name: of the split.
        dataset: a dataset of mmscpnet, maybe in wrappers.
        progress: is told after each block how many images it had.

    Raises:
        ValueError: a dataset of another package, whose labels have no three states.
    """
    classes = list(dataset.metainfo['classes'])
    split = SplitLabels(name, classes, LabelStatistics(len(classes)))
    split.samples = len(dataset)
    parts = list(innermost_datasets(dataset))
    for part in parts:
        if not isinstance(part, ThreeStateDataset):
            raise ValueError(
                f'{name}: {type(part).__name__} is not a dataset of mmscpnet: its '
                'labels do not tell known negatives from unknown ones'
            )
    if any(masks_labels(part) for part in parts):
        split.full = LabelStatistics(len(classes))
        split.hidden_positives = np.zeros(len(classes), dtype=np.int64)
    for part in parts:
        for block in label_blocks(part):
            split.paths += block.paths
            split.observed.add(block.observed)
            if split.full is not None:
                split.full.add(block.full)
                hidden = (block.observed == -1) & (block.full == 1)
                split.hidden_positives += np.count_nonzero(hidden, axis=0)
                known = (block.observed != -1) & (block.full != -1)
                wrong = known & (block.observed != block.full)
                split.contradictions += int(np.count_nonzero(wrong))
            if progress is not None:
                progress(len(block.paths))
    return split
