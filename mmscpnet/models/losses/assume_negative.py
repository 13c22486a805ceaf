"""Binary cross-entropies that take every unknown label for a negative one."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class AssumeNegativeLoss(IncompleteLabelLoss):
    """Assume negative (AN): the plainest answer to missing labels.

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021,
    Eq. 4. With p = sigmoid(logit) a label costs::

        1:        -log p
        0 and -1: -log(1 - p)

    Unknown labels (-1) count as negative. With full labels it is the ordinary binary
    cross-entropy.

    Args:
        loss_weight: factor on the loss.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        positive = (targets == 1).to(logits.dtype)
        return self.loss_weight * F.binary_cross_entropy_with_logits(
            logits, positive, reduction='sum'
        )


@MODELS.register_module()
class WeakAssumeNegativeLoss(IncompleteLabelLoss):
    """Weak assume negative (WAN): an assumed negative counts for little.

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021. With
    p = sigmoid(logit) and the weight w = 1/(C - 1) a label costs::

        1:  -log p
        0:  -log(1 - p)
        -1: -w log(1 - p)

    With one positive an image, and no known negative, positive and assumed negative
    labels so have the same influence. Unknown labels (-1) count as negative with
    weight w, known negatives (0) with weight 1.

    Args:
        negative_weight: w, weight of an unknown label; None for 1/(C - 1).
        loss_weight: factor on the loss.
    """

    def __init__(
        self, negative_weight: Optional[float] = None, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.negative_weight = negative_weight
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        weight = self.negative_weight
        if weight is None:
            weight = 1 / max(1, logits.size(1) - 1)
        positive = (targets == 1).to(logits.dtype)
        weights = torch.where(targets == -1, weight, 1.0).to(logits.dtype)
        return self.loss_weight * F.binary_cross_entropy_with_logits(
            logits, positive, weights, reduction='sum'
        )


@MODELS.register_module()
class LabelSmoothingANLoss(IncompleteLabelLoss):
    """Assume negative with label smoothing (AN-LS, LSAN).

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021. With
    p = sigmoid(logit) a label costs::

        -t log p - (1 - t) log(1 - p)

    where its target t is 1 - epsilon/2 for a positive and epsilon/2 for an assumed
    negative. Unknown labels (-1) and known negatives (0) are treated alike.

    Args:
        epsilon: smoothing, 0.1 as in the paper. The paper's code takes its 0.1 for the
            whole share (0.9 and 0.1), which is 0.2 here.
        loss_weight: factor on the loss.
    """

    def __init__(self, epsilon: float = 0.1, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 <= epsilon < 1:
            raise ValueError(
                f'LabelSmoothingANLoss: epsilon must lie in [0, 1), found {epsilon}'
            )
        self.epsilon = epsilon
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        half = self.epsilon / 2
        soft = torch.where(targets == 1, 1 - half, half).to(logits.dtype)
        return self.loss_weight * F.binary_cross_entropy_with_logits(
            logits, soft, reduction='sum'
        )
