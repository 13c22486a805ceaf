"""The labels that training will see, without reading a photo."""

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
