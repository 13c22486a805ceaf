"""Large losses of unknown labels are likely those of missed positives."""

import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import PerImageLoss
from .global_batch import count_images, kth_largest
from .pseudo_labels import PseudoLabelState, unpack_bits

SCHEMES = ('LL-R', 'LL-Ct', 'LL-Cp')


@MODELS.register_module()
class LargeLoss(PerImageLoss):
    """Reject or correct the unknown labels with the largest losses of a batch.

    Kim et al., "Large Loss Matters in Weakly Supervised Multi-Label Classification",
    CVPR 2022, Eq. 2-5. With p = sigmoid(logit) and the threshold R a label costs::

        1:                       -log p
        0:                       -log(1 - p)
        -1, -log(1 - p) <  R:    -log(1 - p)
        -1, -log(1 - p) >= R:    0 (LL-R), -log p (LL-Ct, LL-Cp)

    Unknown labels (-1) count as negative, but of those with the largest losses the
    loss is dropped (``LL-R``), or they count as positive in this step (``LL-Ct``) or
    from now on (``LL-Cp``; in this step from R, from now on above it). Known negatives
    (0) are never touched.

    R is the n-th largest loss of the unknown labels in the batch (of all processes),
    n a share of all its N x C labels, rounded up, as in the released code::

        LL-R, LL-Ct: n = N C min(1, t delta_rel / 100) in epoch t (0-based)
        LL-Cp:       n = N C delta_rel / 100 in each epoch but the first

    In the first epoch nothing is dropped or corrected.

    Args:
        scheme: ``'LL-R'``, ``'LL-Ct'`` or ``'LL-Cp'``.
        delta_rel: in percent. Published: 0.2 for VOC, COCO and NUS (LL-R, LL-Ct).
        num_samples: see :class:`PerImageLoss`; only ``LL-Cp`` remembers anything.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        scheme: str = 'LL-R',
        delta_rel: float = 0.2,
        num_samples: Optional[int] = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(num_samples)
        if scheme not in SCHEMES:
            raise ValueError(
                f'LargeLoss: scheme must be in {SCHEMES}, found {scheme!r}'
            )
        if not 0 < delta_rel < 100:
            raise ValueError(
                f'LargeLoss: delta_rel is in percent, in (0, 100), found {delta_rel}'
            )
        self.scheme = scheme
        self.delta_rel = delta_rel
        self.loss_weight = loss_weight
        self.state: Optional[PseudoLabelState] = None

    def allocate(self, num_samples: int, num_classes: int) -> None:
        """See :class:`PerImageLoss`."""
        if self.scheme == 'LL-Cp':
            self.state = PseudoLabelState(num_samples, num_classes)

    def memory(self) -> Optional[Tensor]:
        """Corrected labels, a bit each, ``(N, ceil(C / 8))`` uint8."""
        return self.state and self.state.packed

    def recall(self, memory: Tensor) -> None:
        """See :class:`PerImageLoss`."""
        self.state.restore(memory)

    def share_in_ema(self, source: 'LargeLoss') -> None:
        """An averaged copy of the model corrects nothing itself."""
        self.state = source.state

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        epoch: int = 0,
        sample_idx: Optional[Tensor] = None,
    ) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed.

        Args:
            sample_idx: ``(N,)``, position of each image; for ``LL-Cp``.
        """
        positive, unknown = targets == 1, targets == -1
        if self.scheme == 'LL-Cp':
            sample_idx = self.check_index(sample_idx).to(logits.device)
            self.state.to(logits.device)
            rows = self.state.packed[sample_idx]
            corrected = unpack_bits(rows, logits.size(1))
            positive, unknown = positive | corrected, unknown & ~corrected
        loss = F.binary_cross_entropy_with_logits(
            logits, positive.to(logits.dtype), reduction='none'
        )
        if epoch > 0:
            large, largest = self._large(loss.detach(), unknown, epoch)
            if self.scheme == 'LL-R':
                loss = torch.where(large, torch.zeros_like(loss), loss)
            else:
                loss = torch.where(large, F.softplus(-logits), loss)
            if self.scheme == 'LL-Cp':
                self.state.update(sample_idx, corrected | largest)
        return self.loss_weight * loss.sum()

    def _large(
        self, loss: Tensor, unknown: Tensor, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Unknown labels at, and above, the threshold R(t), both ``(N, C)`` bool."""
        steps = 1 if self.scheme == 'LL-Cp' else epoch
        share = min(1.0, steps * self.delta_rel / 100)
        count = math.ceil(count_images(loss) * loss.size(1) * share)
        candidates = torch.where(unknown, loss, -math.inf)
        threshold = kth_largest(candidates, count)
        return unknown & (candidates >= threshold), unknown & (candidates > threshold)
