"""Expected-positive regularisation, and the label estimator built on it (ROLE)."""

import math
from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.dist import get_world_size, is_distributed
from torch import Tensor, nn

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss, PerImageLoss
from .global_batch import count_images, gather_batch, sum_over_processes

# Where the estimates of ROLE start: a known label at a probability of 0.995 or 0.005,
# an unknown one between 0.4 and 0.6.
KNOWN_LOGIT = math.log(0.995 / 0.005)
UNKNOWN_LOGIT = math.log(0.6 / 0.4)


def known_label_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the known labels, summed; with single positives, L+ of Cole."""
    loss = F.binary_cross_entropy_with_logits(
        logits, (targets == 1).to(logits.dtype), reduction='none'
    )
    return (loss * (targets != -1)).sum()


def expected_positive_regularizer(probability: Tensor, expected: float) -> Tensor:
    """R_k: squared gap of the mean number of positives to ``expected``.

    Published per image and label, ((k_hat - k) / C)^2; times N and C here, to stand
    beside losses that are summed. The mean is over the images of all processes, of
    which each gets an equal part of the value.

    Args:
        probability: ``(N, C)``.
        expected: k.
    """
    count, num_classes = count_images(probability), probability.size(1)
    mean = sum_over_processes(probability.sum()) / count
    whole = count * num_classes * ((mean - expected) / num_classes) ** 2
    return whole - whole.detach() * (1 - 1 / get_world_size())


@MODELS.register_module()
class EPRLoss(IncompleteLabelLoss):
    """Expected-positive regularisation.

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021,
    Eq. 8-9. With p = sigmoid(logit) the loss of a batch is::

        sum_known [-y log p - (1 - y) log(1 - p)]
            + lambda N C ((k_hat - k) / C)^2

    with k_hat = sum p / N: cross-entropy of the known labels, and a pull of the mean
    number of positives in the batch to a given k. Unknown labels (-1) enter through
    the latter alone.

    Args:
        expected_positives: k, positive labels of an image on average. Published: VOC
            1.5, COCO 2.9, NUS 1.9, CUB 31.4.
        regularizer_weight: lambda.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        expected_positives: float,
        regularizer_weight: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.expected_positives = expected_positives
        self.regularizer_weight = regularizer_weight
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        logits = _at_least_float(logits)
        regularizer = expected_positive_regularizer(
            logits.sigmoid(), self.expected_positives
        )
        return self.loss_weight * (
            known_label_loss(logits, targets) + self.regularizer_weight * regularizer
        )


@MODELS.register_module()
class ROLELoss(PerImageLoss):
    """Regularised online label estimation (ROLE).

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021,
    Eq. 10-12. Every label of every training image has a learnable estimate. With the
    probabilities f of the classifier and q of the estimates the loss of a batch is::

        [CE(f, q) + EPR(f) + CE(q, f) + EPR(q)] / 2

        CE(a, b) = sum [-b log a - (1 - b) log(1 - a)], no gradient to b

    EPR as in :class:`EPRLoss`, with a lambda of 1: classifier and estimates are
    trained together, each towards the other. Unknown labels (-1) are what the
    estimates are for.

    The estimates belong to the parameters of the model, under ``head.loss_module``;
    published is ten times the learning rate for them:
    ``paramwise_cfg=dict(lr_mult={'head.loss_module': 10})``.

    Args:
        expected_positives: k, see :class:`EPRLoss`.
        num_samples: images of the training set. Needed for distributed training;
            otherwise ``LabelCheckHook`` finds it out.
        num_classes: C, if ``num_samples`` is given.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        expected_positives: float,
        num_samples: Optional[int] = None,
        num_classes: Optional[int] = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(num_samples)
        if (num_samples is None) != (num_classes is None):
            raise ValueError(
                'ROLELoss: num_samples and num_classes are given together, found '
                f'{num_samples} and {num_classes}'
            )
        self.expected_positives = expected_positives
        self.loss_weight = loss_weight
        # A vector, because weight decay, which it must not have, spares vectors.
        self.estimates = nn.Parameter(torch.zeros(0))
        self.seen: Optional[Tensor] = None
        if num_samples is not None:
            self.allocate(num_samples, num_classes)

    def set_num_samples(self, num_samples: int, num_classes: int) -> None:
        """See :class:`PerImageLoss`.

        Raises:
            ValueError: in several processes, if the config has not said the same:
                DistributedDataParallel has to know all parameters.
        """
        size = num_samples * num_classes
        if is_distributed() and self.estimates.numel() != size:
            raise ValueError(
                'ROLELoss: distributed training needs its size in the config: '
                f'loss=dict(num_samples={num_samples}, num_classes={num_classes})'
            )
        super().set_num_samples(num_samples, num_classes)

    def allocate(self, num_samples: int, num_classes: int) -> None:
        """See :class:`PerImageLoss`."""
        start = 2 * torch.rand(num_samples * num_classes) - 1
        self.estimates.data = UNKNOWN_LOGIT * start.to(self.estimates.device)
        self.seen = torch.zeros(num_samples, 1, dtype=torch.bool)

    def memory(self) -> Optional[Tensor]:
        """Which images have been seen, ``(N, 1)`` bool."""
        return self.seen

    def recall(self, memory: Tensor) -> None:
        """See :class:`PerImageLoss`."""
        self.seen = memory

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        epoch: int = 0,
        sample_idx: Optional[Tensor] = None,
    ) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed.

        Args:
            sample_idx: ``(N,)``, position of each image in the training set.
        """
        sample_idx = self.check_index(sample_idx).to(logits.device)
        logits = _at_least_float(logits)
        self._start_from_known(sample_idx, targets)
        estimates = self.estimates.view(self.num_samples, -1)[sample_idx]
        total = 0.0
        for own, other in ((logits, estimates), (estimates, logits)):
            probability = own.sigmoid()
            cross = F.binary_cross_entropy_with_logits(
                own, other.detach().sigmoid().to(own.dtype), reduction='sum'
            )
            total = (
                total
                + cross
                + known_label_loss(own, targets)
                + expected_positive_regularizer(probability, self.expected_positives)
            )
        return self.loss_weight * total / 2

    @torch.no_grad()
    def _start_from_known(self, sample_idx: Tensor, targets: Tensor) -> None:
        """At the first sight of an image its known labels enter the estimates.

        Each process has all estimates, and enters the images of the others too.
        """
        sample_idx, targets = gather_batch(sample_idx, targets)
        self.seen = self.seen.to(targets.device)
        rows = self.estimates.data.view(self.num_samples, -1)
        new = ~self.seen[sample_idx] & (targets != -1)
        start = torch.where(targets == 1, KNOWN_LOGIT, -KNOWN_LOGIT).to(rows.dtype)
        rows[sample_idx] = torch.where(new, start, rows[sample_idx])
        self.seen[sample_idx] = True

    def share_in_ema(self, source: 'ROLELoss') -> None:
        """An averaged copy of the model has no estimates of its own."""
        self.estimates = source.estimates
        self.seen = source.seen

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        # A model that is only tested has no room for the estimates yet.
        value = state_dict.get(prefix + 'estimates')
        if value is not None and self.seen is None:
            self.estimates.data = torch.empty_like(value)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _at_least_float(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.half, torch.bfloat16) else logits
