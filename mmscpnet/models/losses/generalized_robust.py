"""Generalised robust loss: soft pseudo-labels, robust losses, instance weights."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss


@MODELS.register_module()
class GeneralizedRobustLoss(IncompleteLabelLoss):
    r"""GR loss.

    Chen et al., "Boosting Single Positive Multi-label Classification with Generalized
    Robust Loss", IJCAI 2024. With p the sigmoid of the logit a positive costs
    :math:`-\log p`, an unknown label (-1)

    .. math::
        v(p) \, [k(p) \, (1 - p^{q_2}) / q_2 + (1 - k(p)) \, (1 - (1-p)^{q_3}) / q_3]

    with the soft pseudo-label :math:`k(p) = \sigma(w p + b)` and the weight
    :math:`v(p) = \exp(-(p - \mu)^2 / 2 \sigma^2)`, neither with gradient. w, b, mu and
    sigma go linearly from a start to an end; in epoch e (from 1) of T, w and b have
    made (e - 1)/T of the way and mu and sigma e/T, as in the released code. A known
    negative (0) costs :math:`-\log(1 - p)`.

    Args:
        max_epochs: T.
        slope: w at start and end.
        offset: b at start and end.
        center: mu at start and end.
        width: sigma at start and end.
        q_pos: q_2.
        q_neg: q_3.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        max_epochs: int,
        slope: Sequence[float] = (0.0, 2.0),
        offset: Sequence[float] = (-2.0, -2.0),
        center: Sequence[float] = (0.5, 0.8),
        width: Sequence[float] = (2.0, 0.5),
        q_pos: float = 0.01,
        q_neg: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if min(width) <= 0 or min(q_pos, q_neg) <= 0 or max_epochs < 1:
            raise ValueError(
                'GeneralizedRobustLoss: width, q_pos, q_neg and max_epochs must be '
                f'positive, found {width}, {q_pos}, {q_neg}, {max_epochs}'
            )
        self.max_epochs = max_epochs
        self.slope = slope
        self.offset = offset
        self.center = center
        self.width = width
        self.q_pos = q_pos
        self.q_neg = q_neg
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        log_p, log_not_p = F.logsigmoid(logits), F.logsigmoid(-logits)
        p = log_p.detach().exp()
        before, after = epoch / self.max_epochs, (epoch + 1) / self.max_epochs
        pseudo = (_between(self.slope, before) * p).add(_between(self.offset, before))
        pseudo = pseudo.sigmoid()
        gap = (p - _between(self.center, after)) / _between(self.width, after)
        weight = torch.exp(-(gap**2) / 2)
        as_positive = -torch.expm1(self.q_pos * log_p) / self.q_pos
        as_negative = -torch.expm1(self.q_neg * log_not_p) / self.q_neg
        unknown = weight * (pseudo * as_positive + (1 - pseudo) * as_negative)
        known = torch.where(targets == 1, -log_p, -log_not_p)
        return self.loss_weight * torch.where(targets == -1, unknown, known).sum()


def _between(ends: Sequence[float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * min(share, 1.0)
