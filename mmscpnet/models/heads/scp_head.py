"""The label side of SCPNet: prompter, semantic association, cosine matching."""

import math
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmscpnet.models.utils import load_open_clip_logit_scale
from mmscpnet.registry import MODELS

from .incomplete_label_head import IncompleteLabelHead


@MODELS.register_module()
class SCPHead(IncompleteLabelHead):
    """Match image features with label features refined over the label graph.

    Eq. 5-7: the prompter gives each label a feature, SAM refines them, and the
    logits are the scaled cosine of image and label (plus a bias, if wanted). It works
    on any backbone: where its width differs from the label features', a linear
    projection stands between.

    Args:
        classes: C label names, or a file with one name a line.
        in_channels: width of the backbone's (pooled) feature.
        prompter: config of ``CrossModalityPrompter`` or ``FixedLabelFeatures``.
        association: config of ``SemanticAssociation``; None leaves SAM out.
        projection: ``'auto'`` (a linear layer if the widths differ), True or False.
        scale: 1/tau of Eq. 7: a number, or ``'clip'`` for the learnable scale of the
            CLIP weights that the prompter's text encoder loads.
        learn_scale: whether a number given as ``scale`` is only where learning starts.
        bias: added to the scaled cosine: None, ``'shared'`` or ``'per_class'``;
            learnt, from ``bias_init``.
        bias_init: initial value of the bias, in logits.
        dropout: on the image feature, in training.
        **kwargs: see :class:`IncompleteLabelHead`.
    """

    def __init__(
        self,
        classes,
        in_channels: int,
        prompter: dict,
        association: Optional[dict] = None,
        projection: Union[str, bool] = 'auto',
        scale: Union[float, str] = 10.0,
        learn_scale: bool = False,
        bias: Optional[str] = None,
        bias_init: float = 0.0,
        dropout: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(classes, **kwargs)
        if association is not None and self.label_graph is None:
            raise ValueError('SCPHead: association needs label_graph')
        self.prompter = MODELS.build({'classes': self.classes, **prompter})
        width = self.prompter.embed_dims
        self.association = association and MODELS.build(
            {'type': 'SemanticAssociation', 'embed_dims': width, **association}
        )
        self.projection = self._build_projection(projection, in_channels, width)
        self.dropout = nn.Dropout(dropout)
        self._build_scale(scale, learn_scale)
        self._build_bias(bias, bias_init)

    @staticmethod
    def _build_projection(projection, in_channels: int, width: int) -> nn.Module:
        if projection == 'auto':
            projection = in_channels != width
        if projection:
            return nn.Linear(in_channels, width)
        if in_channels != width:
            raise ValueError(
                f'SCPHead: projection=False, but in_channels={in_channels} differs '
                f'from the label features ({width}). Use projection="auto"'
            )
        return nn.Identity()

    def _build_scale(self, scale: Union[float, str], learn_scale: bool) -> None:
        self.scale_from_clip = scale == 'clip'
        if self.scale_from_clip:
            encoder = getattr(self.prompter, 'text_encoder', None)
            if not hasattr(encoder, 'pretrained'):
                raise ValueError(
                    "SCPHead: scale='clip' needs a prompter with a CLIPTextEncoder"
                )
            # CLIP's own start, until init_weights has read the trained one.
            scale, learn_scale = 1 / 0.07, True
        if not isinstance(scale, (int, float)) or not scale > 0:
            raise ValueError(
                f"SCPHead: scale must be a positive number or 'clip', found {scale!r}"
            )
        log_scale = torch.tensor(math.log(scale))
        if learn_scale:
            self.log_scale = nn.Parameter(log_scale)
        else:
            # Without gradient a parameter would stop DistributedDataParallel.
            self.register_buffer('log_scale', log_scale)

    def _build_bias(self, bias: Optional[str], bias_init: float) -> None:
        sizes = {None: None, 'shared': 1, 'per_class': self.num_classes}
        if bias not in sizes:
            raise ValueError(
                f"SCPHead: bias must be None, 'shared' or 'per_class', found {bias!r}"
            )
        size = sizes[bias]
        self.bias = size and nn.Parameter(torch.full((size,), float(bias_init)))

    def init_weights(self) -> None:
        """Initialise all parts; with ``scale='clip'`` read CLIP's scale."""
        super().init_weights()
        encoder = getattr(self.prompter, 'text_encoder', None)
        if not self.scale_from_clip or encoder.pretrained is None:
            return
        scale = load_open_clip_logit_scale(encoder.model_name, encoder.pretrained)
        with torch.no_grad():
            self.log_scale.copy_(scale)

    def label_features(self) -> Tensor:
        """Eq. 5: the prompter's label features Z ``(C, D)``."""
        return self.prompter()

    def refined_label_features(self, label_features: Tensor) -> Tensor:
        """Eq. 6: Z ``(C, D)`` -> Z* ``(C, D)``; Z itself without SAM."""
        if self.association is None:
            return label_features
        graph = self._graph(self.label_graph, label_features)
        return self.association(label_features, graph)

    def forward(self, feats: tuple[Tensor]) -> Tensor:
        """Last of ``feats`` ``(N, in_channels)`` -> logits ``(N, C)``, Eq. 7."""
        return self._logits(feats, self.label_features())

    def _logits(self, feats: tuple[Tensor], label_features: Tensor) -> Tensor:
        image = self.projection(self.dropout(self.pre_logits(feats)))
        labels = self.refined_label_features(label_features)
        # Half precision would cost three digits of the cosine.
        with torch.autocast(image.device.type, enabled=False):
            cosine = (
                F.normalize(image.float(), dim=-1)
                @ F.normalize(labels.float(), dim=-1).t()
            )
            logits = self.log_scale.float().exp() * cosine
            return logits if self.bias is None else logits + self.bias
