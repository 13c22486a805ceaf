"""Self-paced loss correction, the classification loss of SCPNet."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class SPLCLoss(IncompleteLabelLoss):
    """SPLC: focal-margin loss that turns confident missing labels into positives.

    Zhang et al., "Simple and Robust Loss Design for Multi-Label Learning with Missing
    Labels", 2021, arXiv:2112.07368. With p = sigmoid(logit) and
    p_m = sigmoid(logit - margin) a label costs::

        1:             -(1 - p_m)^gamma log p_m
        0:             -p^gamma log(1 - p)
        -1, p <= tau:  -p^gamma log(1 - p)
        -1, p >  tau:  -(1 - p)^gamma log p

    The margin is subtracted from the logits of known positives. From ``change_epoch``
    on, an unknown label (-1) whose probability exceeds ``tau`` counts as positive,
    without margin; until then, and up to ``tau``, it counts as negative. A known
    negative (0) always stays negative.

    Args:
        tau: probability above which an unknown label becomes positive.
        change_epoch: first epoch (0-based) with correction.
        margin: m of the focal-margin loss, in logits.
        gamma: focusing exponent; the gradient flows through the weight.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        tau: float = 0.6,
        change_epoch: int = 1,
        margin: float = 1.0,
        gamma: float = 2.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 < tau < 1:
            raise ValueError(f'SPLCLoss: tau must lie in (0, 1), found {tau}')
        self.tau = tau
        self.change_epoch = change_epoch
        self.margin = margin
        self.gamma = gamma
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        known_positive = targets == 1
        logits = torch.where(known_positive, logits - self.margin, logits)
        positive = known_positive
        if epoch >= self.change_epoch:
            confident = logits.detach().sigmoid() > self.tau
            positive = known_positive | (confident & (targets == -1))
        # Signed so that one expression serves both states: p_t = sigmoid(signed).
        signed = torch.where(positive, logits, -logits)
        focal = torch.sigmoid(-signed) ** self.gamma
        return self.loss_weight * -(focal * F.logsigmoid(signed)).sum()
