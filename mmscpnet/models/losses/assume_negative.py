"""Binary cross-entropy that takes every unknown label for a negative one."""

import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class AssumeNegativeLoss(IncompleteLabelLoss):
    """Assume negative (AN): the plainest answer to missing labels.

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021,
    Eq. 4. Unknown labels (-1) count as negative. With full labels it is the ordinary
    binary cross-entropy.

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
