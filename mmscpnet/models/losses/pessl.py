"""Prior-enhanced self-supervised learning (PESSL), section 3.3 of the paper."""

import logging
from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from mmscpnet.label_graph import graph_product
from mmscpnet.registry import MODELS

from .pseudo_labels import PseudoLabelState

DIVERGENCES = ('kl', 'cross_entropy')


@MODELS.register_module()
class PESSLLoss(nn.Module):
    """Consistency (Eq. 10) and self-distillation (Eq. 12) of a weak and a strong view.

    Ding et al., "Exploring Structured Semantic Prior for Multi Label Recognition with
    Incomplete Labels", CVPR 2023. With the probabilities w of the weak and s of the
    strong view, the confident labels O(x) and the teacher q = A* w (Eq. 11) an image
    costs, times lambda_cst and lambda_dstl (Eq. 13)::

        cst:  -sum_{c in O(x)} log s_c - sum_{c not in O(x)} log(1 - s_c)
        dstl: sum_c [q_c log(q_c / s_c) + (1 - q_c) log((1 - q_c) / (1 - s_c))]

        O(x) = {c in topK(w): w_c > T(c)}
        T(c) = p_cutoff beta_c / (2 - beta_c)

    with beta of :func:`class_confidence`; w and q receive no gradient.

    The defaults follow the paper; the released code is
    ``divergence='cross_entropy', include_observed=True, sample_mask=True``.

    Known negatives (0) are never pseudo-positives. Unknown labels (-1) are what this
    loss is for. Known positives (1) are pseudo-positives for certain only with
    ``include_observed``.

    Args:
        num_classes: C.
        num_samples: images of the training set; the pseudo-labels of each are kept
            for the dynamic threshold. None if it is to be set (:meth:`set_num_samples`)
            before training, as ``LabelCheckHook`` does.
        label_graph: A* of Eq. 4, ``(C, C)``, or a ``LabelGraph``. None if each call
            brings it, as the heads do.
        hard_k: K of the top-K in O(x).
        p_cutoff: threshold of a label whose learning is complete.
        loss_weight_cst: lambda_cst.
        loss_weight_dstl: lambda_dstl.
        divergence: ``'kl'`` (Eq. 12) or ``'cross_entropy'``, which differs by the
            entropy of the teacher and so has the same gradient.
        include_observed: whether known positives join O(x).
        sample_mask: whether an image counts only if one of its top ``hard_k`` labels
            passes its threshold.

    Attributes:
        class_confidence: ``(C,)``, beta of the last call: how far the learning of each
            label has come, after FlexMatch (Zhang et al., 2021).
        statistics: scalars of the last call: pseudo-labels per image, share of images
            that pass the sample mask, mean threshold.
    """

    def __init__(
        self,
        num_classes: int,
        num_samples: Optional[int] = None,
        label_graph: Optional[Tensor] = None,
        hard_k: int = 2,
        p_cutoff: float = 0.95,
        loss_weight_cst: float = 0.125,
        loss_weight_dstl: float = 0.125,
        divergence: str = 'kl',
        include_observed: bool = False,
        sample_mask: bool = False,
    ) -> None:
        super().__init__()
        if divergence not in DIVERGENCES:
            raise ValueError(
                f'PESSLLoss: divergence must be one of {DIVERGENCES}, '
                f'found {divergence!r}'
            )
        if not 1 <= hard_k <= num_classes:
            raise ValueError(
                f'PESSLLoss: hard_k must lie in [1, {num_classes}], found {hard_k}'
            )
        self.num_classes = num_classes
        self.hard_k = hard_k
        self.p_cutoff = p_cutoff
        self.loss_weight_cst = loss_weight_cst
        self.loss_weight_dstl = loss_weight_dstl
        self.divergence = divergence
        self.include_observed = include_observed
        self.sample_mask = sample_mask
        prior = getattr(label_graph, 'normalized', label_graph)
        self.register_buffer('prior', prior, persistent=False)
        self.state = PseudoLabelState(num_samples or 0, num_classes)
        self.class_confidence = torch.full((num_classes,), 1 / num_classes)
        self.statistics: dict[str, Tensor] = {}

    def forward(
        self,
        logits_weak: Tensor,
        logits_strong: Tensor,
        targets: Tensor,
        sample_idx: Tensor,
        label_graph: Optional[Tensor] = None,
    ) -> dict[str, Tensor]:
        """Compute both losses, then remember the pseudo-labels.

        Args:
            logits_weak: ``(N, C)``; receives no gradient.
            logits_strong: ``(N, C)``.
            targets: ``(N, C)`` in {1, 0, -1}.
            sample_idx: ``(N,)``, position of each image in the training set.
            label_graph: A*, in place of the one given at construction.

        Returns:
            ``loss_cst`` and ``loss_dstl``, weighted, summed over images and labels.

        Raises:
            ValueError: no label graph, or an index outside the training set.
        """
        prior = self.prior if label_graph is None else label_graph
        if prior is None:
            raise ValueError(
                'PESSLLoss: no label_graph, at construction or in the call'
            )
        self._check_index(sample_idx)
        self.state.to(logits_weak.device)
        sample_idx = sample_idx.to(logits_weak.device)
        strong = logits_strong.float()
        weak_prob = logits_weak.detach().float().sigmoid()

        self.class_confidence = self._confidence()
        confident, counted = self.select(weak_prob, targets)
        cst = F.binary_cross_entropy_with_logits(
            strong, confident.to(strong.dtype), reduction='none'
        ).sum(dim=1)
        dstl = self_distillation(weak_prob, strong, prior, self.divergence)
        if self.sample_mask:
            cst, dstl = cst * counted, dstl * counted

        self.state.update(sample_idx, confident)
        self.statistics = dict(
            pseudo_labels=confident.sum(dim=1).float().mean(),
            confident_images=counted.float().mean(),
            mean_threshold=self.threshold.mean(),
        )
        return dict(
            loss_cst=self.loss_weight_cst * cst.sum(),
            loss_dstl=self.loss_weight_dstl * dstl.sum(),
        )

    @property
    def threshold(self) -> Tensor:
        """T(c) ``(C,)`` of the last call."""
        return self.p_cutoff * self.class_confidence / (2 - self.class_confidence)

    def select(self, probability: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Pseudo-labels at the thresholds of the last call.

        Args:
            probability: ``(N, C)``.
            targets: ``(N, C)`` in {1, 0, -1}.

        Returns:
            O(x) ``(N, C)`` bool, with the known positives if ``include_observed``, and
            ``(N,)`` bool, whether an image has any but for these.
        """
        confident = confident_labels(probability, self.threshold, self.hard_k)
        confident = confident & (targets != 0)
        counted = confident.any(dim=1)
        if self.include_observed:
            confident = confident | (targets == 1)
        return confident, counted

    def _confidence(self) -> Tensor:
        return class_confidence(
            self.state.counts, self.hard_k * max(self.state.num_samples, 1)
        )

    def _check_index(self, sample_idx: Tensor) -> None:
        if self.state.num_samples == 0:
            raise ValueError(
                'PESSLLoss: num_samples is not known. Give it, or add '
                "dict(type='LabelCheckHook') to custom_hooks, which reads it from the "
                'training set'
            )
        # On another device this would wait for it; heads pass the index on the CPU.
        if sample_idx.device.type == 'cpu' and (
            sample_idx.min() < 0 or sample_idx.max() >= self.state.num_samples
        ):
            raise ValueError(
                f'PESSLLoss: sample_idx {sample_idx.min()} to {sample_idx.max()} does '
                f'not fit num_samples={self.state.num_samples}'
            )

    def set_num_samples(self, num_samples: int) -> None:
        """Make room for a training set of ``num_samples`` images, if not yet there."""
        if num_samples != self.state.num_samples:
            self.state = PseudoLabelState(num_samples, self.num_classes)

    def share_in_ema(self, source: 'PESSLLoss') -> None:
        """An averaged copy of the model keeps no pseudo-labels of its own."""
        self.state = source.state

    def get_extra_state(self) -> Tensor:
        """The packed pseudo-labels, ``(N, ceil(C / 8))`` uint8."""
        return self.state.packed

    def set_extra_state(self, state: Tensor) -> None:
        """Take the pseudo-labels of a checkpoint.

        Those of another training set are left out with a warning.
        """
        expected = self.state.packed.shape
        fits = state.shape[1:] == expected[1:]
        if fits and expected[0] in (0, len(state)):
            self.state.restore(state)
        else:
            print_log(
                f'PESSLLoss: the checkpoint has pseudo-labels of shape '
                f'{tuple(state.shape)}, of another training set than the present one '
                f'({tuple(expected)}); they are left out and learnt anew',
                logger='current',
                level=logging.WARNING,
            )


def confident_labels(probability: Tensor, threshold: Tensor, hard_k: int) -> Tensor:
    """O(x): labels among the ``hard_k`` most probable that exceed their threshold.

    Args:
        probability: ``(N, C)``.
        threshold: T, ``(C,)``.
        hard_k: K.

    Returns:
        ``(N, C)`` bool.
    """
    top = probability.topk(hard_k, dim=1).indices
    in_top = torch.zeros_like(probability, dtype=torch.bool).scatter_(1, top, True)
    return in_top & (probability > threshold)


def class_confidence(counts: Tensor, capacity: int) -> Tensor:
    """Beta: how far the learning of each label has come.

    FlexMatch's dynamic threshold for several labels an image: the pseudo-labels of a
    label relative to the most frequent one, or to the places still unused if those
    are more. Never below 1/C, which it also is before the first pseudo-label.

    Args:
        counts: sigma, ``(C,)`` int64, images that hold each pseudo-label.
        capacity: pseudo-labels there can be, hard_k times the number of images.

    Returns:
        ``(C,)`` float32.
    """
    counts = counts.double()
    unused = capacity - counts.sum()
    scale = torch.maximum(counts.max(), unused)
    floor = 1 / len(counts)
    # No pseudo-label yet: scale is the whole capacity, so every beta is the floor.
    return (counts / scale).clamp_min(floor).float()


def calibrate(probability: Tensor, prior: Tensor) -> Tensor:
    """SASC of Eq. 11: probabilities averaged over each label's neighbours.

    Args:
        probability: ``(N, C)``.
        prior: A*, ``(C, C)``, dense or sparse.

    Returns:
        ``(N, C)``.
    """
    return graph_product(prior, probability.t()).t().clamp(0, 1)


def self_distillation(
    weak_prob: Tensor, strong_logits: Tensor, prior: Tensor, divergence: str
) -> Tensor:
    """Eq. 12 with the teacher of Eq. 11, SASC(p_weak, A*).

    Args:
        weak_prob: ``(N, C)``.
        strong_logits: ``(N, C)``.
        prior: A*, ``(C, C)``, dense or sparse.
        divergence: ``'kl'`` or ``'cross_entropy'``.

    Returns:
        ``(N,)``, summed over labels.
    """
    teacher = calibrate(weak_prob, prior)
    cross = F.binary_cross_entropy_with_logits(strong_logits, teacher, reduction='none')
    if divergence == 'kl':
        cross = cross + torch.xlogy(teacher, teacher)
        cross = cross + torch.xlogy(1 - teacher, 1 - teacher)
    return cross.sum(dim=1)
