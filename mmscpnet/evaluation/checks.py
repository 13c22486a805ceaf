"""Common checks of scores and three-state targets."""

from typing import Union

import numpy as np
import torch
from mmpretrain.structures import label_to_onehot
from torch import Tensor

ArrayLike = Union[Tensor, np.ndarray]


def as_scores_and_targets(
    scores: ArrayLike, targets: ArrayLike
) -> tuple[Tensor, Tensor]:
    """Bring scores and targets into the form that the measures work on.

    Args:
        scores (Tensor | ndarray): (N, C), any floating type; half precision is
            widened to float32, whole numbers to float64.
        targets (Tensor | ndarray): (N, C) in {1, 0, -1}: positive, negative,
            unknown.

    Returns:
        tuple[Tensor, Tensor]: Scores (N, C) in float32 or float64 and targets
        (N, C) int8, on the device of the scores.

    Raises:
        ValueError: If shapes differ or are not two-dimensional, if there is no
            class, if a score is not a number or a target is not one of the
            three states.
    """
    scores, targets = torch.as_tensor(scores), torch.as_tensor(targets)
    if scores.ndim != 2 or scores.shape != targets.shape:
        raise ValueError(
            'scores and targets must both be (N, C), found '
            f'{tuple(scores.shape)} and {tuple(targets.shape)}'
        )
    if scores.shape[1] == 0:
        raise ValueError('scores have no class: shape ' + str(tuple(scores.shape)))
    if scores.dtype not in (torch.float32, torch.float64):
        wide = torch.float32 if scores.is_floating_point() else torch.float64
        scores = scores.to(wide)
    bad = torch.isnan(scores).any(dim=0).nonzero().flatten().tolist()
    if bad:
        raise ValueError(f'scores are not a number (NaN) for class index {bad[:10]}')
    known = (targets == 1) | (targets == 0) | (targets == -1)
    if not bool(known.all()):
        row, column = (~known).nonzero()[0].tolist()
        raise ValueError(
            'targets must be 1 (positive), 0 (negative) or -1 (unknown), found '
            f'{targets[row, column].item()!r} in row {row}, class index {column}'
        )
    return scores.detach(), targets.to(device=scores.device, dtype=torch.int8)


def labels_of(sample: dict, num_classes: int, name: str) -> Tensor:
    """Three-state labels of a data sample.

    Args:
        sample (dict): With ``gt_score`` (C,), or ``gt_label`` (indices of positive
            classes; all others are then negative).
        num_classes (int): C, if the sample does not say.
        name (str): Of the sample, for messages.

    Returns:
        Tensor: (C,).

    Raises:
        ValueError: If there is no label, or one beyond the classes.
    """
    if sample.get('gt_score') is not None:
        return torch.as_tensor(sample['gt_score'])
    if sample.get('gt_label') is None:
        raise ValueError(f'{name}: neither gt_score nor gt_label to compare with')
    label = torch.as_tensor(sample['gt_label'])
    known = sample.get('num_classes', num_classes)
    if label.numel() and int(label.max()) >= known:
        raise ValueError(
            f'{name}: gt_label holds class index {int(label.max())}, but there '
            f'are {known} classes'
        )
    return label_to_onehot(label, known)
