"""The plain formulation of SCPNet's step, to measure against; the same numbers.

Every prompt goes through all positions of the context, label features are computed
anew in each forward pass, the teacher goes through it with gradient, and pseudo-labels
are a matrix of whole numbers, images x labels, that is added up at every step.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmscpnet.label_graph import graph_product
from mmscpnet.models.heads.incomplete_label_head import stack_targets
from mmscpnet.models.losses.pessl import class_confidence, confident_labels
from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.models.text_encoders.padded_prompts import encode_padded


class NaiveSCPNet:
    """The weights of a model, used plainly.

    Args:
        model: An SCPNet with CLIP's text tower, SCPHead, SPLC and PESSL.
        num_samples: Images of the training set.

    Raises:
        ValueError: The text encoder is another one.
    """

    def __init__(self, model: nn.Module, num_samples: int) -> None:
        encoder = getattr(model.head.prompter, 'text_encoder', None)
        if not isinstance(encoder, CLIPTextEncoder):
            raise ValueError(
                "--reference is the plain form of CLIP's text tower; the config has "
                f'{type(encoder).__name__}'
            )
        self.model, self.head = model, model.head
        size = (num_samples, self.head.num_classes)
        self.state = torch.zeros(
            size, dtype=torch.int64, device=self.head.log_scale.device
        )

    def label_features(self) -> Tensor:
        """Z ``(C, D)`` over the full context."""
        prompter = self.head.prompter
        encoder = prompter.text_encoder
        names, stop, start = prompter._embeddings()
        prefix, suffixes = prompter._prompts(prompter.context[0], start, names, stop)
        return encode_padded(
            encoder.tower,
            prefix,
            suffixes,
            encoder.context_length,
            encoder.suffix_ids[-1],
            encoder.tokenizer.pad_id,
        )

    def logits(self, images: Tensor) -> Tensor:
        """Images ``(N, 3, H, W)`` -> ``(N, C)``."""
        feats = self.model.extract_feat(images)
        return self.head._logits(feats, self.label_features()).float()

    def loss(
        self, views: Sequence[Tensor], samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """What ``SCPNet.loss`` gives."""
        head, pessl = self.head, self.head.pessl
        logits = self.logits(torch.cat(list(views))).chunk(len(views))
        targets = stack_targets(samples, head.num_classes).to(logits[0].device)
        losses = dict(loss_cls=head.loss_module(logits[0], targets, head.epoch))
        if pessl is None:
            return losses
        prior = (head.pessl_label_graph or head.label_graph)().normalized
        weak, strong = logits[-2].sigmoid().detach(), logits[-1]
        counts = self.state.sum(dim=0)
        beta = class_confidence(counts, pessl.hard_k * len(self.state))
        threshold = pessl.p_cutoff * beta / (2 - beta)
        confident = confident_labels(weak, threshold, pessl.hard_k) & (targets != 0)
        counted = confident.any(dim=1) if pessl.sample_mask else 1
        if pessl.include_observed:
            confident = confident | (targets == 1)
        cst = F.binary_cross_entropy_with_logits(
            strong, confident.float(), reduction='none'
        ).sum(dim=1)
        teacher = graph_product(prior, weak.t()).t().clamp(0, 1)
        dstl = F.binary_cross_entropy_with_logits(strong, teacher, reduction='none')
        if pessl.divergence == 'kl':
            dstl = dstl + torch.xlogy(teacher, teacher)
            dstl = dstl + torch.xlogy(1 - teacher, 1 - teacher)
        rows = [sample.sample_idx for sample in samples]
        self.state[rows] = confident.long()
        return dict(
            losses,
            loss_cst=pessl.loss_weight_cst * (cst * counted).sum(),
            loss_dstl=pessl.loss_weight_dstl * (dstl.sum(dim=1) * counted).sum(),
        )
