"""Focal and asymmetric losses for partial labels: ignore, negative, selective."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmscpnet.registry import MODELS

from .base import IncompleteLabelLoss
from .global_batch import count_images, kth_largest

MODES = ('ignore', 'negative', 'selective')


@MODELS.register_module()
class PartialAsymmetricLoss(IncompleteLabelLoss):
    """Asymmetric loss (ASL) with three ways to treat unknown labels (P-ASL).

    Ridnik et al., "Asymmetric Loss for Multi-Label Classification", ICCV 2021, and
    Ben-Baruch et al., "Multi-label Classification with Partial Annotations using
    Class-aware Selective Loss", CVPR 2022. With p = sigmoid(logit) and the shifted
    p_m = max(p - clip, 0) a label costs::

        1:  -(1 - p)^gamma_pos log p
        0:  -p_m^gamma_neg log(1 - p_m)
        -1: -p_m^gamma_unknown log(1 - p_m), or nothing

    where the powers are constants to the gradient unless ``focal_grad``. Unknown
    labels (-1) are

    - ``'ignore'``: left out;
    - ``'negative'``: negative, with an exponent of their own;
    - ``'selective'``: the same, except those that may well be positive, which are left
      out: all of a class whose prior exceeds ``prior_threshold``, and of the batch the
      ``likelihood_topk`` x N most probable ones.

    Args:
        unknown: one of the three modes.
        gamma_pos: exponent of positives.
        gamma_neg: exponent of known negatives.
        gamma_unknown: exponent of unknown labels; None for ``gamma_neg``.
        clip: m, the shift of the probability of negatives and unknown labels.
        likelihood_topk: per image on average, 5 as in the released code.
        prior: share of images that hold each class: C numbers or an ``.npy`` file of
            them. The paper takes the mean prediction of a model that was trained with
            ``'ignore'``. None for none.
        prior_threshold: eta.
        focal_grad: whether gradient flows through the weights; not in P-ASL.
        loss_weight: factor on the loss.
    """

    def __init__(
        self,
        unknown: str = 'selective',
        gamma_pos: float = 0.0,
        gamma_neg: float = 4.0,
        gamma_unknown: Optional[float] = None,
        clip: float = 0.05,
        likelihood_topk: int = 5,
        prior: Union[str, Sequence[float], None] = None,
        prior_threshold: float = 0.5,
        focal_grad: bool = False,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if unknown not in MODES:
            raise ValueError(f'{name}: unknown must be in {MODES}, found {unknown!r}')
        if prior is not None and unknown != 'selective':
            raise ValueError(f"{name}: prior is for unknown='selective' only")
        self.unknown = unknown
        self.gammas = (
            gamma_pos,
            gamma_neg,
            gamma_neg if gamma_unknown is None else gamma_unknown,
        )
        self.clip = clip
        self.likelihood_topk = likelihood_topk
        self.prior_threshold = prior_threshold
        self.focal_grad = focal_grad
        self.loss_weight = loss_weight
        prior = None if prior is None else _load_prior(prior, name)
        self.register_buffer('prior', prior, persistent=False)

    def forward(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """Logits ``(N, C)``, targets ``(N, C)`` in {1, 0, -1} -> scalar, summed."""
        positive = targets == 1
        log_p = F.logsigmoid(torch.where(positive, logits, -logits))
        if self.clip:
            shifted = torch.log((log_p.exp() + self.clip).clamp(max=1))
            log_p = torch.where(positive, log_p, shifted)
        with torch.set_grad_enabled(self.focal_grad and torch.is_grad_enabled()):
            gap = (1 - log_p.exp()).clamp(min=0)
            weight = torch.ones_like(gap)
            for state, gamma in zip((1, 0, -1), self.gammas):
                if gamma:
                    weight = torch.where(targets == state, gap**gamma, weight)
        loss = -weight * log_p
        if self.unknown != 'negative':
            loss = loss * ~self._left_out(logits.detach(), targets == -1)
        return self.loss_weight * loss.sum()

    def _left_out(self, logits: Tensor, unknown: Tensor) -> Tensor:
        """``(N, C)`` bool."""
        if self.unknown == 'ignore':
            return unknown
        candidates = torch.where(unknown, logits, -math.inf)
        count = min(self.likelihood_topk, logits.size(1)) * count_images(logits)
        if count:
            out = candidates >= kth_largest(candidates, count)
        else:
            out = torch.zeros_like(unknown)
        if self.prior is not None:
            if len(self.prior) != logits.size(1):
                raise ValueError(
                    f'{type(self).__name__}: prior has {len(self.prior)} entries for '
                    f'{logits.size(1)} classes'
                )
            out = out | (self.prior > self.prior_threshold)
        return out & unknown


@MODELS.register_module()
class PartialFocalLoss(PartialAsymmetricLoss):
    """Focal loss with three ways to treat unknown labels.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, Eq. 4. With
    p = sigmoid(logit) a label costs::

        1:        -(1 - p)^gamma log p
        0 and -1: -p^gamma log(1 - p), or nothing for -1

    In the terms of :class:`PartialAsymmetricLoss`: one exponent for all labels, no
    shift, and gradient through the weight. What an unknown label (-1) costs, depends
    on ``unknown``.

    Args:
        unknown: what unknown labels (-1) are, see :class:`PartialAsymmetricLoss`.
        gamma: exponent.
        **kwargs: ``likelihood_topk``, ``prior``, ``prior_threshold``, ``loss_weight``.
    """

    def __init__(self, unknown: str = 'negative', gamma: float = 2.0, **kwargs) -> None:
        super().__init__(
            unknown=unknown,
            gamma_pos=gamma,
            gamma_neg=gamma,
            clip=0.0,
            focal_grad=True,
            **kwargs,
        )


def _load_prior(prior, name: str) -> Tensor:
    if isinstance(prior, str):
        if not Path(prior).is_file():
            raise FileNotFoundError(f'{name}: the prior file {prior!r} does not exist')
        prior = np.load(prior, allow_pickle=False)
    values = torch.as_tensor(np.asarray(prior, dtype=np.float32))
    if values.ndim != 1 or not bool(((values >= 0) & (values <= 1)).all()):
        raise ValueError(f'{name}: prior must be C numbers in [0, 1]')
    return values
