"""Acknowledge the unknown: entropy maximisation and asymmetric pseudo-labels."""

import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import PerImageLoss
from .global_batch import gather_batch


@MODELS.register_module()
class EntropyMaximizationLoss(PerImageLoss):
    """EM loss, with asymmetric pseudo-labelling (APL) if wanted.

    Zhou et al., "Acknowledging the Unknown for Multi-label Learning with Single
    Positive Labels", ECCV 2022. With p = sigmoid(logit) a label costs::

        1:                    -log p
        0:                    -log(1 - p)
        -1:                   -alpha H(p)
        -1, pseudo-negative:  -beta [t log p + (1 - t) log(1 - p)]

    with the entropy H(p) = -p log p - (1 - p) log(1 - p). An unknown label (-1) is
    neither positive nor negative: the entropy of its prediction is maximised. With
    APL, after each epoch from ``warmup_epochs`` on, of every class the unknown labels
    with the lowest predictions become pseudo-negatives, of all its unknown labels a
    share of::

        neg_proportion / (max_epochs - warmup_epochs)

    each time (rounded down), which makes ``neg_proportion`` in the last epoch. The
    target t of each is that prediction, and stays. Known negatives (0) cost what
    negatives cost.

    The published predictions come from an extra pass over the training images after
    each epoch; here they are those of the epoch itself.

    Args:
        alpha: published: VOC 0.2, COCO 0.1, NUS 0.1, CUB 0.01.
        beta: published: VOC 0.02, COCO 0.9, NUS 0.2, CUB 0.4. None for no APL.
        neg_proportion: theta, in (0, 1].
        warmup_epochs: epochs before the first pseudo-labels: VOC and COCO 5, NUS 4,
            CUB 3.
        max_epochs: length of the training.
        num_samples: see :class:`PerImageLoss`.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        alpha: float = 0.1,
        beta: Optional[float] = None,
        neg_proportion: float = 0.9,
        warmup_epochs: int = 5,
        max_epochs: int = 10,
        num_samples: Optional[int] = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(num_samples)
        if beta is not None and not 0 <= warmup_epochs < max_epochs:
            raise ValueError(
                'EntropyMaximizationLoss: warmup_epochs must be below max_epochs, '
                f'found {warmup_epochs} and {max_epochs}'
            )
        if not 0 < neg_proportion <= 1:
            raise ValueError(
                'EntropyMaximizationLoss: neg_proportion must lie in (0, 1], found '
                f'{neg_proportion}'
            )
        self.alpha = alpha
        self.beta = beta
        self.neg_proportion = neg_proportion
        self.warmup_epochs = warmup_epochs
        self.max_epochs = max_epochs
        self.loss_weight = loss_weight
        # Last prediction and soft pseudo-label of each unknown label; NaN for none.
        self.records: Optional[Tensor] = None
        self._epoch: Optional[int] = None

    def allocate(self, num_samples: int, num_classes: int) -> None:
        """See :class:`PerImageLoss`."""
        if self.beta is not None:
            size = (2, num_samples, num_classes)
            self.records = torch.full(size, math.nan, dtype=torch.float16)

    def memory(self) -> Optional[Tensor]:
        """Predictions and pseudo-labels, ``(2, N, C)`` float16."""
        return self.records

    def recall(self, memory: Tensor) -> None:
        """See :class:`PerImageLoss`."""
        self.records = memory

    def share_in_ema(self, source: 'EntropyMaximizationLoss') -> None:
        """An averaged copy of the model labels nothing itself."""
        self.records = source.records

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        epoch: int = 0,
        sample_idx: Optional[Tensor] = None,
    ) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed.

        Args:
            sample_idx: ``(N,)``, position of each image; for APL.
        """
        log_p, log_not_p = F.logsigmoid(logits), F.logsigmoid(-logits)
        p = log_p.exp()
        known = torch.where(targets == 1, -log_p, -log_not_p)
        entropy = -(p * log_p + (1 - p) * log_not_p)
        loss = torch.where(targets == -1, -self.alpha * entropy, known)
        if self.beta is not None:
            soft = self._pseudo_labels(p.detach(), targets, epoch, sample_idx)
            target = soft.nan_to_num(0).to(p.dtype)
            cross = -(target * log_p + (1 - target) * log_not_p)
            loss = torch.where(soft.isnan(), loss, self.beta * cross)
        return self.loss_weight * loss.sum()

    def _pseudo_labels(self, p, targets, epoch, sample_idx) -> Tensor:
        """Soft labels ``(N, C)`` of this batch, NaN for none; keeps the predictions."""
        sample_idx = self.check_index(sample_idx).to(p.device)
        self.records = self.records.to(p.device)
        if epoch != self._epoch:
            self._epoch = epoch
            if epoch >= self.warmup_epochs:
                count = self.neg_proportion / (self.max_epochs - self.warmup_epochs)
                self.records[1] = add_pseudo_negatives(*self.records, count)
        unknown = torch.where(targets == -1, p, math.nan).half()
        index, values = gather_batch(sample_idx, unknown)
        self.records[0, index] = values
        return self.records[1, sample_idx]


def add_pseudo_negatives(
    predictions: Tensor, pseudo_labels: Tensor, share: float
) -> Tensor:
    """One round of asymmetric pseudo-labelling.

    Args:
        predictions: ``(N, C)``, NaN for labels that are known.
        pseudo_labels: ``(N, C)``, soft labels so far, NaN for none.
        share: of the unknown labels of a class that become pseudo-negatives; those
            with the lowest predictions that are not yet labelled.

    Returns:
        ``(N, C)``: the pseudo-labels with the new ones, whose value is the prediction.
    """
    unknown = ~predictions.isnan()
    free = unknown & pseudo_labels.isnan()
    count = (share * unknown.sum(dim=0)).floor()
    order = torch.where(free, predictions.float(), math.inf).argsort(dim=0, stable=True)
    rank = torch.empty_like(order)
    position = torch.arange(len(order), device=order.device)[:, None].expand_as(order)
    rank.scatter_(0, order, position)
    return torch.where(free & (rank < count), predictions, pseudo_labels)
