"""The label side of SCPNet: prompter, semantic association, cosine matching."""

import copy
import math
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.models.utils import load_open_clip_logit_scale
from mmscpnet.registry import MODELS

from .incomplete_label_head import IncompleteLabelHead
from .weight_cache import WeightCache


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
        self._text_encoder_cfg = prompter.get('text_encoder')
        width = self.prompter.embed_dims
        self.association = association and MODELS.build(
            {'type': 'SemanticAssociation', 'embed_dims': width, **association}
        )
        self.projection = self._build_projection(projection, in_channels, width)
        self.dropout = nn.Dropout(dropout)
        self._build_scale(scale, learn_scale)
        self._build_bias(bias, bias_init)
        self._cache = WeightCache()

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
        self._bias_per_class = bias == 'per_class'
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

    def set_classes(self, classes) -> None:
        """Take other labels without training: prompts, graph and features.

        For inference: what only training uses is dropped. If it fails, nothing changes.

        Args:
            classes: label names, trained or not, in any order; or a file of them.

        Raises:
            ValueError: something is tied to the labels it was trained for: soft prompts
                or a bias for each label, a label graph or features from a file, or word
                vectors that lack a word.
        """
        names = load_class_names(classes, 'labels')
        if not getattr(self.prompter, 'shared', True):
            raise ValueError(
                'SCPHead: the prompter has trained soft tokens for each label '
                '(shared=False), so it cannot take other labels'
            )
        bias = self._bias_of(names)
        # A copy, as the prompter, which comes last, may fail.
        graph = copy.deepcopy(self.label_graph)
        if graph is not None:
            graph.set_classes(names, self._text_encoder_of(graph))
        self.prompter.set_classes(names)
        self.label_graph, self.bias = graph, bias
        self.pessl = self.pessl_label_graph = None
        self.classes, self.num_classes = names, len(names)
        self._cache.clear()

    def train(self, mode: bool = True) -> 'SCPHead':
        """Set the mode; label features are computed anew for each evaluation."""
        self._cache.clear()
        return super().train(mode)

    def _apply(self, *args, **kwargs) -> 'SCPHead':
        self._cache.clear()
        return super()._apply(*args, **kwargs)

    def _text_encoder_of(self, graph: nn.Module) -> Optional[nn.Module]:
        """The prompter's own, if the graph was made by the same: it is at hand."""
        source = getattr(graph, 'source', None)
        if not isinstance(source, dict) or self._text_encoder_cfg is None:
            return None
        same = source.get('text_encoder') == self._text_encoder_cfg
        return getattr(self.prompter, 'text_encoder', None) if same else None

    def _bias_of(self, names: list[str]) -> Optional[nn.Parameter]:
        if not self._bias_per_class:
            return self.bias
        missing = [name for name in names if name not in self.classes]
        if missing:
            raise ValueError(
                "SCPHead: bias='per_class' was trained for each label, so there is "
                f'none for {missing[:12]}{" and others" if len(missing) > 12 else ""}'
            )
        rows = [self.classes.index(name) for name in names]
        return nn.Parameter(self.bias.detach()[rows])

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
        """Last of ``feats`` ``(N, in_channels)`` -> logits ``(N, C)``, Eq. 7.

        In evaluation without gradient the label features are those of the last call,
        unless weights have changed since.
        """
        if self.training or torch.is_grad_enabled() or torch.jit.is_tracing():
            return self._logits(feats, self.label_features())
        parts = (self.prompter, self.association, self.label_graph)
        return self._match(
            feats, self._cache.get(parts, lambda: self._unit(self.label_features()))
        )

    def _logits(self, feats: tuple[Tensor], label_features: Tensor) -> Tensor:
        return self._match(feats, self._unit(label_features))

    def _unit(self, label_features: Tensor) -> Tensor:
        """Z ``(C, D)`` -> Z* with rows of length 1, float32."""
        labels = self.refined_label_features(label_features)
        # Half precision would cost three digits of the cosine.
        with torch.autocast(labels.device.type, enabled=False):
            return F.normalize(labels.float(), dim=-1)

    def _match(self, feats: tuple[Tensor], unit: Tensor) -> Tensor:
        image = self.projection(self.dropout(self.pre_logits(feats)))
        with torch.autocast(image.device.type, enabled=False):
            cosine = F.normalize(image.float(), dim=-1) @ unit.t()
            logits = self.log_scale.float().exp() * cosine
            return logits if self.bias is None else logits + self.bias
