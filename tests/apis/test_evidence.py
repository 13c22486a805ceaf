"""Evidence against the head's own forward pass, on graphs that are changed by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmscpnet.apis.evidence import Evidence, LabelMatch, cut_label
from mmscpnet.label_graph import LabelGraph
from mmscpnet.registry import MODELS

from .small_models import CLASSES, linear_head, scp_head


@pytest.fixture
def head():
    head = MODELS.build(scp_head(bias='per_class', bias_init=-1.0))
    head.init_weights()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter += torch.randn_like(parameter) * 0.1
    head.eval()
    return head


def features_of(head, feats):
    return F.normalize(head.projection(feats).float(), dim=-1)


@torch.no_grad()
def logits_with(head, feats, matrix):
    """Scores by the head, with another matrix as its graph."""

    class Fixed(torch.nn.Module):
        def forward(self, label_features):
            return LabelGraph(matrix, matrix)

    kept, head.label_graph = head.label_graph, Fixed()
    head._cache.clear()
    try:
        return head((feats,))
    finally:
        head.label_graph = kept
        head._cache.clear()


def test_a_label_is_cut_off():
    matrix = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.0, 0.4, 0.6]])
    want = torch.tensor([[0.8, 0.0, 0.2], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(cut_label(matrix, 1), want)
    assert matrix[0, 1] == 0.3


@torch.no_grad()
def test_logits_are_those_of_the_head(head):
    feats = torch.randn(4, 24)
    entries = [(0, 1), (2, 4), (3, 0), (0, 0)]
    match = LabelMatch(head)
    present = [[2, 3], [], [0, 1], [4]]
    found = match.explain(features_of(head, feats), entries, present)
    refined = head((feats,))
    association, head.association = head.association, None
    head._cache.clear()
    alone = head((feats,))
    head.association = association
    head._cache.clear()
    scale = head.log_scale.exp().item()
    weights = head.label_graph(head.label_features()).normalized
    for (i, c), evidence in zip(entries, found):
        logit = scale * evidence.cosine + head.bias[c].item()
        assert logit == pytest.approx(refined[i, c].item(), abs=1e-4)
        assert evidence.prompt_logit == pytest.approx(alone[i, c].item(), abs=1e-4)
        want = {k for k in present[i] if k != c and weights[c, k] > 0}
        assert {n.label for n in evidence.neighbors} == want
        effects = [n.effect for n in evidence.neighbors]
        assert effects == sorted(effects, reverse=True)
        for neighbor in evidence.neighbors:
            assert neighbor.weight == pytest.approx(weights[c, neighbor.label].item())
            cut = logits_with(head, feats, cut_label(weights, neighbor.label))
            effect = refined[i, c] - cut[i, c]
            assert neighbor.effect == pytest.approx(effect.item(), abs=1e-4)
    assert any(e.neighbors for e in found)
    assert np.ptp([n.effect for e in found for n in e.neighbors]) > 1e-3


def test_graphs_of_eq_3_and_sparse_ones(head):
    """The matrix is the one that SAM uses, however it is stored."""
    feats = torch.randn(3, 24)
    entries, present = [(0, 1), (1, 2)], [[0, 2, 3, 4]] * 3
    dense = LabelMatch(head).explain(features_of(head, feats), entries, present)
    head.label_graph.sparse = True
    sparse = LabelMatch(head).explain(features_of(head, feats), entries, present)
    assert len(dense) == len(sparse) == 2
    for a, b in zip(dense, sparse):
        assert [n.label for n in a.neighbors] == [n.label for n in b.neighbors]
        assert a.prompt_logit == pytest.approx(b.prompt_logit)
    head.association.matrix = 'reweighted'
    match = LabelMatch(head)
    want = head.label_graph(None).reweighted.to_dense()
    torch.testing.assert_close(match.weights, want)


def test_heads_without_graph_or_features():
    assert LabelMatch(None).explain(None, [(0, 1)], [[0]]) == [Evidence()]
    head = MODELS.build(linear_head())
    assert LabelMatch(head).explain(None, [(0, 1)], [[0]]) == [Evidence()]
    assert LabelMatch(head).explain(None, [], []) == []
    # A graph that only the losses use: weights, but no effect.
    graph = scp_head()['label_graph']
    head = MODELS.build({**linear_head(), 'label_graph': graph})
    head.init_weights()
    (evidence,) = LabelMatch(head).explain(None, [(0, 1)], [[0, 2, 3, 4]])
    assert evidence.cosine is None and evidence.neighbors
    assert {n.effect for n in evidence.neighbors} == {None}
    weights = [n.weight for n in evidence.neighbors]
    assert weights == sorted(weights, reverse=True)
    # Cosine, but no SAM.
    head = MODELS.build(scp_head(association=None, label_graph=None))
    head.init_weights()
    feats = F.normalize(torch.randn(1, 24), dim=-1)
    (evidence,) = LabelMatch(head).explain(
        features_of(head, feats), [(0, len(CLASSES) - 1)], [[0]]
    )
    assert evidence.prompt_logit is None and evidence.neighbors == ()
    with torch.no_grad():
        logit = head((feats,))[0, -1].item()
    assert logit == pytest.approx(10 * evidence.cosine, abs=1e-4)
