"""The sparse label graph equals the dense one, in every place that uses it."""

import pytest
import torch

from mmscpnet.label_graph import (
    StaticLabelGraph,
    build_label_graph,
    build_sparse_label_graph,
    graph_product,
)
from mmscpnet.models.layers import SemanticAssociation
from mmscpnet.models.losses import PESSLLoss


def names(count):
    return [f'label {i}' for i in range(count)]


class Given:
    """A source that has the similarities."""

    def __init__(self, similarity):
        self.value = similarity

    def similarity(self, classes):
        return self.value


def graphs(count=70, topk=9, **kwargs):
    similarity = torch.rand(count, count)
    pair = [
        StaticLabelGraph(Given(similarity), names(count), topk, sparse=sparse, **kwargs)
        for sparse in (True, False)
    ]
    for graph in pair:
        graph.init_weights()
    return pair


@pytest.mark.parametrize('softmax_over', ['nonzero', 'kept'])
@pytest.mark.parametrize('block_rows', [1, 7, 13, 100])
def test_blocks_of_rows_make_the_same_graph(softmax_over, block_rows):
    similarity = torch.rand(13, 13) - 0.1
    similarity[:, 5] = 0
    settings = (similarity, 11, 0.2, 0.3)
    dense = build_label_graph(*settings, softmax_over=softmax_over)
    indices, values = build_sparse_label_graph(
        *settings, softmax_over=softmax_over, block_rows=block_rows
    )
    order = indices[0] * 13 + indices[1]
    assert (order.diff() > 0).all()
    for stored, matrix in zip(values, dense):
        made = torch.zeros(13, 13).index_put((indices[0], indices[1]), stored)
        torch.testing.assert_close(made, matrix, rtol=0, atol=0)


def test_a_label_without_neighbours_is_named_in_its_block():
    similarity = torch.eye(9) + 0.1
    similarity[7] = torch.eye(9)[7]
    with pytest.raises(ValueError, match=r"label 7 \('label 7'\)"):
        build_sparse_label_graph(similarity, 3, 0.2, 0.2, names=names(9), block_rows=4)
    similarity[3, 4] = float('nan')
    with pytest.raises(ValueError, match='label 3 and label 4 is nan'):
        build_sparse_label_graph(similarity, 3, 0.2, 0.2)
    with pytest.raises(ValueError, match='softmax_over'):
        build_sparse_label_graph(torch.eye(3), 1, 0.2, 0.2, softmax_over='all')


def test_products_and_gradients_are_equal():
    sparse, dense = graphs()
    for mine, theirs in zip(sparse(), dense()):
        assert mine.is_sparse and not theirs.is_sparse
        torch.testing.assert_close(mine.to_dense(), theirs, rtol=0, atol=0)
        x = torch.randn(70, 6, requires_grad=True)
        weights = torch.randn(70, 6)
        found = graph_product(mine, x)
        expected = theirs @ x
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(
            *(
                torch.autograd.grad((y * weights).sum(), x)[0]
                for y in (found, expected)
            ),
            rtol=0,
            atol=1e-5,
        )


@pytest.mark.parametrize('matrix', ['normalized', 'reweighted'])
def test_through_the_gcn(matrix):
    sparse, dense = graphs()
    gcn = SemanticAssociation(8, 12, matrix=matrix)
    results = []
    for graph in (sparse, dense):
        torch.manual_seed(0)
        z = torch.randn(70, 8, requires_grad=True)
        gcn.zero_grad()
        out = gcn(z, graph())
        (out * torch.arange(70.0)[:, None] / 70).sum().backward()
        results.append([out, z.grad, *(w.grad.clone() for w in gcn.weights)])
    for mine, theirs in zip(*results):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('divergence', ['kl', 'cross_entropy'])
def test_through_pessl(divergence):
    sparse, dense = graphs()
    results = []
    for graph in (sparse, dense):
        torch.manual_seed(0)
        loss = PESSLLoss(70, 20, divergence=divergence)
        weak, strong = torch.randn(2, 5, 70)
        strong.requires_grad_()
        targets = torch.randint(-1, 2, (5, 70))
        found = loss(weak, strong, targets, torch.arange(5), graph().normalized)
        sum(found.values()).backward()
        results.append([*found.values(), strong.grad])
    for mine, theirs in zip(*results):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_half_precision_features():
    sparse, dense = graphs()
    x = torch.randn(70, 6)
    half = x.bfloat16()
    found = graph_product(sparse().normalized, half)
    assert found.dtype == torch.bfloat16
    expected = dense().normalized @ half.float()
    torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-2)
    with torch.autocast('cpu', torch.bfloat16):
        found = graph_product(sparse().normalized, x)
    torch.testing.assert_close(found, dense().normalized @ x, rtol=0, atol=1e-5)


def test_when_it_is_sparse_by_itself():
    def automatic(count, topk):
        return StaticLabelGraph(None, names(count), topk).is_sparse

    assert not automatic(312, 20)
    assert automatic(1024, 62)
    assert not automatic(1024, 300)
    with pytest.raises(ValueError, match="True, False or 'auto'"):
        StaticLabelGraph(None, names(3), 2, sparse='yes')


def test_checkpoint_and_order_of_labels():
    sparse, dense = graphs(12, 4)
    other = StaticLabelGraph(None, names(12), 4, sparse=False)
    other.load_state_dict(sparse.state_dict())
    torch.testing.assert_close(other().normalized, dense().normalized)
    order = torch.randperm(12)
    shuffled = [names(12)[i] for i in order]
    before = dense().normalized
    for graph in (sparse, dense):
        graph.set_classes(shuffled)
        found = graph().normalized
        found = found.to_dense() if found.is_sparse else found
        torch.testing.assert_close(found, before[order][:, order])
    position = sparse.indices[0] * 12 + sparse.indices[1]
    assert (position.diff() > 0).all()
