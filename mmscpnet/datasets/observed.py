"""The labels that training will see, without reading a photo."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from mmengine.dataset import BaseDataset

from .transforms import LabelMasking


def label_info(dataset: BaseDataset, idx: int) -> dict:
    """Annotation of an image with the pipeline's label masking applied.

    Args:
        dataset: a dataset with a ``pipeline``.
        idx: position in the dataset.

    Returns:
        What ``get_data_info`` gives, with ``gt_score`` as training sees it.
    """
    info = dataset.get_data_info(idx)
    for transform in dataset.pipeline.transforms:
        if isinstance(transform, LabelMasking):
            info = transform.transform(info)
    return info


def observed_targets(dataset: BaseDataset) -> np.ndarray:
    """``(N, C)`` int8 in {1, 0, -1}: labels of all images as training sees them."""
    return np.stack([label_info(dataset, i)['gt_score'] for i in range(len(dataset))])


def masks_labels(dataset: BaseDataset) -> bool:
    """Whether the pipeline of a dataset masks labels."""
    return any(isinstance(t, LabelMasking) for t in dataset.pipeline.transforms)


class LabelBlock(NamedTuple):
    """Labels of some consecutive images.

    Attributes:
        paths: of the photos.
        observed: ``(n, C)`` int8 in {1, 0, -1}, as training sees them.
        full: the same before label masking.
        sample_idx: ``(n,)``, their lasting numbers.
    """

    paths: list[str]
    observed: np.ndarray
    full: np.ndarray
    sample_idx: np.ndarray


def label_blocks(dataset: BaseDataset, size: int = 4096) -> Iterator[LabelBlock]:
    """The labels of all images, ``size`` images at a time; no photo is read.

    Args:
        dataset: a dataset of mmscpnet (no wrapper).
        size: images a block, so that the labels of millions need little memory.
    """
    for start in range(0, len(dataset), size):
        end = min(start + size, len(dataset))
        infos = [label_info(dataset, position) for position in range(start, end)]
        paths = [info['img_path'] for info in infos]
        observed = np.stack([info['gt_score'] for info in infos])
        if masks_labels(dataset):
            full = np.stack([info['full_gt_score'] for info in infos])
        else:
            full = observed
        numbers = np.array([info['sample_idx'] for info in infos])
        yield LabelBlock(paths, observed, full, numbers)
