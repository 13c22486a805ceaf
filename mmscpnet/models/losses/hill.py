"""Hill loss: the hardest assumed negatives count for less again."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class HillLoss(IncompleteLabelLoss):
    """Focal margin for positives, a hill-shaped loss for negatives.

    Zhang et al., "Simple and Robust Loss Design for Multi-Label Learning with Missing
    Labels", 2021, arXiv:2112.07368. With p = sigmoid(logit) and
    p_m = sigmoid(logit - margin) a label costs::

        1:        -(1 - p_m)^gamma log p_m
        0 and -1: (lamb - p) p^2

    The gradient of the latter falls again where a missed positive is likely. Unknown
    labels (-1) count as negative; so do known negatives (0).

    Args:
        lamb: lambda.
        margin: m, subtracted from the logits of positives.
        gamma: focusing exponent of positives; gradient flows through the weight.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        lamb: float = 1.5,
        margin: float = 1.0,
        gamma: float = 2.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.lamb = lamb
        self.margin = margin
        self.gamma = gamma
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        shifted = logits - self.margin
        focal = torch.sigmoid(-shifted) ** self.gamma
        p = logits.sigmoid()
        loss = torch.where(
            targets == 1, -focal * F.logsigmoid(shifted), (self.lamb - p) * p**2
        )
        return self.loss_weight * loss.sum()
