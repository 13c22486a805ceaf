"""The semantic association module (SAM) of SCPNet: a GCN over the label graph."""

from typing import Optional

import torch
from mmcv.cnn import build_activation_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmscpnet.label_graph import LabelGraph, graph_product
from mmscpnet.registry import MODELS


@MODELS.register_module()
class SemanticAssociation(BaseModule):
    r"""Refine label features over the label graph (Eq. 6 and its residual).

    .. math:: H^{l+1} = \rho(A H^l W^l), \quad Z^* = H^0 + H^L

    Args:
        embed_dims: D, width of the label features.
        hidden_dims: width of the layers between.
        num_layers: L.
        matrix: ``'normalized'``, A* of Eq. 4 (paper), or ``'reweighted'``, Eq. 3
            (released code).
        act_cfg: the non-linearity rho, of mmcv.
        activate_last: whether rho follows the last layer too (Eq. 6 as written); the
            released code leaves it out.
        residual: whether the input is added to the output.
        init_cfg: of mmengine.

    Weights start uniform in +-1/sqrt(output width); there is no bias.
    """

    def __init__(
        self,
        embed_dims: int,
        hidden_dims: int = 2048,
        num_layers: int = 3,
        matrix: str = 'normalized',
        act_cfg: Optional[dict] = None,
        activate_last: bool = True,
        residual: bool = True,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_layers < 1:
            raise ValueError(f'num_layers must be at least 1, found {num_layers}')
        if matrix not in LabelGraph._fields:
            raise ValueError(
                f'matrix must be one of {LabelGraph._fields}, found {matrix!r}'
            )
        self.matrix = matrix
        self.activate_last = activate_last
        self.residual = residual
        widths = [embed_dims, *[hidden_dims] * (num_layers - 1), embed_dims]
        self.weights = nn.ParameterList(
            torch.empty(before, after).uniform_(-(after**-0.5), after**-0.5)
            for before, after in zip(widths, widths[1:])
        )
        self.activation = build_activation_layer(
            act_cfg or dict(type='LeakyReLU', negative_slope=0.2)
        )

    def forward(self, label_features: Tensor, graph: LabelGraph) -> Tensor:
        """``Z (C, D)`` and the label graph -> ``Z* (C, D)``."""
        adjacency = getattr(graph, self.matrix)
        hidden = label_features
        last = len(self.weights) - 1
        for layer, weight in enumerate(self.weights):
            hidden = graph_product(adjacency, hidden @ weight)
            if layer < last or self.activate_last:
                hidden = self.activation(hidden)
        return label_features + hidden if self.residual else hidden
