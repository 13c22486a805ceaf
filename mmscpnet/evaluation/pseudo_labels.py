"""How many pseudo-labels are right, counted batch by batch."""

import torch
from torch import Tensor

from .precision_recall import count_decisions

# What is added up of each selection of labels.
COUNTS = ('selected', 'judged', 'right', 'positives')


def count_selection(selected: Tensor, truth: Tensor, among: Tensor) -> Tensor:
    """Counts of a selection; those of several batches add up.

    Args:
        selected: ``(N, C)`` bool, the pseudo-labels.
        truth: ``(N, C)`` in {1, 0, -1}; -1 is never judged.
        among: ``(N, C)`` bool, the entries that are looked at.

    Returns:
        ``(4,)`` int64: selected entries, those of them whose truth is known, those of
        them that are positive, and all positive entries.
    """
    selected = selected & among
    right, judged, positive = count_decisions(selected, truth.where(among, -1))
    return torch.stack([selected.sum(), judged.sum(), right.sum(), positive.sum()])


def selection_figures(counts: Tensor, images: int) -> dict[str, float]:
    """Precision and recall in percent, and selected labels an image.

    Args:
        counts: what :func:`count_selection` gave, added up.
        images: how many images were looked at.

    Returns:
        ``precision`` (absent if nothing was judged), ``recall`` (absent without a
        positive), ``per_image``.
    """
    selected, judged, right, positives = counts.tolist()
    figures = {}
    if judged:
        figures['precision'] = 100 * right / judged
    if positives:
        figures['recall'] = 100 * right / positives
    figures['per_image'] = selected / max(images, 1)
    return figures
