"""Common checks of scores and three-state targets."""

from collections.abc import Iterator, Sequence
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
    # in blocks: a mask of the whole could be as large as the targets
    for first, (block, states) in row_blocks(scores, targets):
        _check_block(block, states, first)
    return scores.detach(), targets.to(device=scores.device, dtype=torch.int8)


def row_blocks(
    *tensors: Tensor, entries: int = 1 << 24
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Go through tensors of N rows in blocks, to bound the memory of temporaries.

    Args:
        *tensors (Tensor): (N, C) each.
        entries (int): Entries of a block, at most, unless a row has more.

    Yields:
        tuple[int, tuple[Tensor, ...]]: First row, and the block of each tensor.
    """
    num_rows, width = tensors[0].shape
    step = max(1, entries // max(1, width))
    for first in range(0, num_rows, step):
        yield first, tuple(tensor[first : first + step] for tensor in tensors)


def _check_block(scores: Tensor, targets: Tensor, first: int) -> None:
    """Refuse NaN and unknown states; ``first`` is the index of the first row."""
    # cheaper than to ask each entry: NaN and infinities of both signs survive a sum
    if not bool(torch.isfinite(scores.sum())):
        bad = torch.isnan(scores).any(dim=0).nonzero().flatten().tolist()
        if bad:
            raise ValueError(
                f'scores are not a number (NaN) for class index {bad[:10]}'
            )
    if not (targets.is_floating_point() or targets.dtype == torch.bool):
        # of whole numbers the extremes say it all, and are found at once
        low, high = targets.aminmax() if targets.numel() else (0, 0)
        if low >= -1 and high <= 1:
            return
    known = (targets == 1) | (targets == 0) | (targets == -1)
    if not bool(known.all()):
        row, column = (~known).nonzero()[0].tolist()
        raise ValueError(
            'targets must be 1 (positive), 0 (negative) or -1 (unknown), found '
            f'{targets[row, column].item()!r} in row {first + row}, class index '
            f'{column}'
        )


def stack_samples(
    data_samples: Sequence[dict], count: int
) -> tuple[Tensor, Tensor, list[str]]:
    """Scores and labels of a batch as arrays.

    Args:
        data_samples (Sequence[dict]): n of them, with ``pred_score`` (C,) and
            ``gt_score`` (C,), or ``gt_label``, whose other classes are then negative.
        count (int): Samples before these, for the names of those without path.

    Returns:
        tuple[Tensor, Tensor, list[str]]: Scores (n, C) float32 or float64 and targets
        (n, C) int8, both on the CPU, and the name of each sample.

    Raises:
        ValueError: If a sample has no scores, no labels, or not as many of both; see
            also :func:`as_scores_and_targets`.
    """
    rows, labels, names = [], [], []
    for number, sample in enumerate(data_samples, count):
        name = str(sample.get('img_path') or f'sample {number}')
        if 'pred_score' not in sample:
            raise ValueError(f'{name}: the model gave no pred_score')
        scores = torch.as_tensor(sample['pred_score'])
        label = labels_of(sample, len(scores), name)
        if label.shape != scores.shape:
            raise ValueError(
                f'{name}: {tuple(scores.shape)} scores for {tuple(label.shape)} '
                'labels; is num_classes of the model that of the data set?'
            )
        if rows and scores.shape != rows[0].shape:
            widths = sorted({len(rows[0]), len(scores)})
            raise ValueError(f'samples have different numbers of classes: {widths}')
        rows.append(scores)
        labels.append(label)
        names.append(name)
    # one copy to the CPU a batch
    stacked = torch.stack(rows).detach().cpu(), torch.stack(labels).cpu()
    return *as_scores_and_targets(*stacked), names


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
