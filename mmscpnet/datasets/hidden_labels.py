"""The labels that masking hid from training, for diagnosis only."""

import numpy as np
from torch.utils.data import Dataset

from .dataset_wrappers import count_samples, innermost_datasets
from .observed import label_blocks, masks_labels


class HiddenLabels:
    """Labels of a training set as they were before masking, two bits a label.

    No photo is read. Nothing that trains may read this.

    Args:
        dataset: a training set of mmscpnet, maybe in wrappers (KFold, Concat ...).

    Attributes:
        num_hidden: labels that are known here, and unknown in training.

    Raises:
        ValueError: no label of the set is hidden: there is no label masking, or it
            leaves everything.
    """

    def __init__(self, dataset: Dataset) -> None:
        parts = list(innermost_datasets(dataset))
        size = count_samples(dataset)
        if not any(masks_labels(part) for part in parts):
            raise ValueError(
                'the training set has no hidden labels: no transform of its pipeline '
                'masks any. What an annotation file leaves out is known to nobody. '
                'Mask labels in the pipeline, for example by '
                "dict(type='SinglePositiveLabel'), of a fully labelled set"
            )
        self.num_classes = len(dataset.metainfo['classes'])
        width = (self.num_classes + 7) // 8
        # What is not in the set is unknown.
        self._positive = np.zeros((size, width), np.uint8)
        self._known = np.zeros((size, width), np.uint8)
        self.num_hidden = 0
        for part in parts:
            for block in label_blocks(part):
                rows = block.sample_idx
                self._positive[rows] = np.packbits(block.full == 1, axis=1)
                self._known[rows] = np.packbits(block.full != -1, axis=1)
                hidden = (block.observed == -1) & (block.full != -1)
                self.num_hidden += int(hidden.sum())
        if not self.num_hidden:
            raise ValueError(
                'the training set has no hidden labels: its label masking leaves every '
                'label that is known'
            )

    def __call__(self, sample_idx) -> np.ndarray:
        """``(n,)`` numbers of images -> ``(n, C)`` int8 in {1, 0, -1}."""
        sample_idx = np.asarray(sample_idx)
        positive, known = (
            np.unpackbits(bits[sample_idx], axis=1, count=self.num_classes)
            for bits in (self._positive, self._known)
        )
        return np.where(known == 1, positive, -1).astype(np.int8)
