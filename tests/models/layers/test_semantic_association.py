"""SAM against Eq. 6 written out."""

import pytest
import torch
import torch.nn.functional as F

from mmscpnet.label_graph import build_label_graph
from mmscpnet.models.layers import SemanticAssociation


@pytest.mark.parametrize('matrix', ['normalized', 'reweighted'])
@pytest.mark.parametrize('num_layers', [1, 2, 3, 4])
@pytest.mark.parametrize('activate_last', [True, False])
def test_equals_equation_6(matrix, num_layers, activate_last):
    graph = build_label_graph(torch.rand(5, 5), 3, 0.2, 0.3)
    module = SemanticAssociation(
        6, 9, num_layers, matrix=matrix, activate_last=activate_last
    )
    features = torch.randn(5, 6)
    hidden = features
    for layer, weight in enumerate(module.weights):
        hidden = getattr(graph, matrix) @ hidden @ weight
        if activate_last or layer < num_layers - 1:
            hidden = F.leaky_relu(hidden, 0.2)
    torch.testing.assert_close(module(features, graph), features + hidden)


def test_widths_start_and_residual():
    module = SemanticAssociation(6, 9, 3, residual=False)
    assert [tuple(w.shape) for w in module.weights] == [(6, 9), (9, 9), (9, 6)]
    for weight in module.weights:
        bound = weight.shape[1] ** -0.5
        assert weight.abs().max() <= bound
        assert weight.abs().max() > 0.8 * bound
    graph = build_label_graph(torch.rand(4, 4), 2, 0.2, 0.3)
    features = torch.randn(4, 6)
    module.residual = True
    with_residual = module(features, graph)
    module.residual = False
    torch.testing.assert_close(with_residual - features, module(features, graph))


def test_bad_settings():
    with pytest.raises(ValueError, match='num_layers'):
        SemanticAssociation(4, num_layers=0)
    with pytest.raises(ValueError, match="found 'adjacency'"):
        SemanticAssociation(4, matrix='adjacency')
