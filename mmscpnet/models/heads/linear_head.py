"""A linear classifier under the same training as SCPNet, for baselines."""

from torch import Tensor, nn

from mmscpnet.registry import MODELS

from .incomplete_label_head import IncompleteLabelHead


@MODELS.register_module()
class IncompleteLabelLinearHead(IncompleteLabelHead):
    """Dropout and one linear layer; every loss of this package works on it.

    Args:
        classes: C label names, or a file with one name a line.
        in_channels: width of the backbone's (pooled) feature.
        dropout: probability that a feature is dropped in training.
        **kwargs: see :class:`IncompleteLabelHead`.
    """

    def __init__(self, classes, in_channels: int, dropout: float = 0.0, **kwargs):
        kwargs.setdefault('init_cfg', dict(type='Normal', layer='Linear', std=0.01))
        super().__init__(classes, **kwargs)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, self.num_classes)

    def forward(self, feats: tuple[Tensor]) -> Tensor:
        """Last of ``feats`` ``(N, D)`` -> logits ``(N, C)``."""
        return self.fc(self.dropout(self.pre_logits(feats)))
