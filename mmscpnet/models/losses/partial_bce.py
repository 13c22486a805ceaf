"""Binary cross-entropy on the known labels only."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class PartialBCELoss(IncompleteLabelLoss):
    r"""Binary cross-entropy on known labels; unknown labels (-1) are left out.

    With ``normalize`` it is the partial BCE of Durand et al., "Learning a Deep ConvNet
    for Multi-label Classification with Partial Labels", CVPR 2019, Eq. 2-3. With the
    sigmoid :math:`s` of the logit an image with a share :math:`p` of known labels
    costs

    .. math:: g(p) \sum_{y = 1} -\log s + g(p) \sum_{y = 0} -\log(1 - s) ,
        \quad g(p) = \alpha p^\gamma + \beta ,

    so that an image with few of them counts for more. Without, :math:`g = 1`. From
    single positives alone it learns to call everything positive.

    Args:
        normalize: whether to weight by g.
        alpha: as published, so that g(0.1) = 5 and g(1) = 1.
        beta: see ``alpha``.
        gamma: see ``alpha``.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        normalize: bool = False,
        alpha: float = -4.45,
        beta: float = 5.45,
        gamma: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.normalize = normalize
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        known = targets != -1
        loss = F.binary_cross_entropy_with_logits(
            logits, (targets == 1).to(logits.dtype), reduction='none'
        )
        loss = (loss * known).sum(dim=1)
        if self.normalize:
            loss = loss * self.proportion_weight(known)
        return self.loss_weight * loss.sum()

    def proportion_weight(self, known: Tensor) -> Tensor:
        """``(N, C)`` bool -> g ``(N,)``; 0 for an image without a known label."""
        proportion = known.float().mean(dim=1)
        # A negative gamma must not turn "nothing known" into infinity times zero.
        safe = torch.where(proportion > 0, proportion, 1)
        weight = self.alpha * safe**self.gamma + self.beta
        return weight * (proportion > 0)
