"""Eq. 1-4 against plain loops, the released numbers, and bad input."""

import math

import numpy as np
import pytest
import torch

from mmscpnet.label_graph import build_label_graph, cosine_similarity
from tests.shared import shared_file


def slow_graph(similarity, topk, s, temperature):
    """Eq. 2-4 label by label."""
    size = len(similarity)
    reweighted = [[0.0] * size for _ in range(size)]
    normalized = [[0.0] * size for _ in range(size)]
    for i in range(size):
        order = sorted(range(size), key=lambda j: (-similarity[i][j], j))
        kept = set(order[:topk])
        total = sum(similarity[i][j] for j in kept if j != i)
        for j in range(size):
            if j == i:
                reweighted[i][j] = 1 - s
            elif j in kept:
                reweighted[i][j] = s / total * similarity[i][j]
        weights = {
            j: math.exp(reweighted[i][j] / temperature)
            for j in range(size)
            if reweighted[i][j] != 0
        }
        for j, weight in weights.items():
            normalized[i][j] = weight / sum(weights.values())
    return reweighted, normalized


@pytest.mark.parametrize('size', [1, 2, 5, 81])
def test_equals_the_slow_reference(size):
    generator = torch.Generator().manual_seed(size)
    similarity = torch.rand(size, size, generator=generator, dtype=torch.float64)
    for topk in sorted({1, 2, (size + 1) // 2, size} & set(range(1, size + 1))):
        graph = build_label_graph(similarity, topk, 0.2, 0.3)
        reweighted, normalized = slow_graph(similarity.tolist(), topk, 0.2, 0.3)
        torch.testing.assert_close(graph.reweighted, torch.tensor(reweighted))
        torch.testing.assert_close(graph.normalized, torch.tensor(normalized))
        assert graph.normalized.dtype == torch.float32


def test_without_temperature_weights_stay_in_proportion():
    similarity = torch.tensor(
        [[1.0, 0.6, 0.2, -0.3], [0.6, 1, 0, 0], [0.2, 0, 1, 0.4], [-0.3, 0, 0.4, 1]]
    )
    graph = build_label_graph(similarity, 3, 0.5, None)
    # A negative similarity is none, nor is one that is not kept.
    expected = [
        [0.5, 0.375, 0.125, 0],
        [0.5, 0.5, 0, 0],
        [0.5 / 3, 0, 0.5, 1 / 3],
        [0, 0, 0.5, 0.5],
    ]
    torch.testing.assert_close(graph.normalized, torch.tensor(expected))
    dense = build_label_graph(similarity, 4, 0.5, None)
    torch.testing.assert_close(dense.normalized, torch.tensor(expected))
    # With the softmax a row whose similarities sum to nothing is refused.
    similarity[0, 3] = -0.9
    with pytest.raises(ValueError, match='label 0: their kept similarities sum to 0'):
        build_label_graph(similarity, 4, 0.5, 0.2)
    dense = build_label_graph(similarity, 4, 0.5, None)
    torch.testing.assert_close(dense.normalized, torch.tensor(expected))
    alone = build_label_graph(similarity, 1, 0.2, None)
    torch.testing.assert_close(alone.normalized, torch.eye(4))
    # The temperature of Eq. 4 levels what neighbours weigh.
    levelled = build_label_graph(similarity, 3, 0.5, 0.2).normalized[0]
    assert levelled[1] / levelled[2] == pytest.approx(math.exp(0.25 / 0.2), rel=1e-4)


def test_ties_go_to_the_lower_label():
    similarity = torch.ones(4, 4)
    kept = build_label_graph(similarity, 3, 0.2, 0.3).reweighted != 0
    # Rows keep labels 0, 1, 2; the diagonal is always there.
    expected = torch.tensor(
        [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]], dtype=torch.bool
    )
    assert torch.equal(kept, expected)


def test_topk_one_is_the_identity():
    similarity = torch.rand(3, 3).fill_diagonal_(1)
    graph = build_label_graph(similarity, 1, 0.2, 0.3)
    torch.testing.assert_close(graph.normalized, torch.eye(3))
    torch.testing.assert_close(graph.reweighted, 0.8 * torch.eye(3))


def test_kept_zero_counts_in_the_released_softmax_only():
    similarity = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    paper = build_label_graph(similarity, 3, 0.2, 0.3)
    released = build_label_graph(similarity, 3, 0.2, 0.3, softmax_over='kept')
    assert paper.normalized[0, 2] == 0
    assert released.normalized[0, 2] > 0
    torch.testing.assert_close(released.normalized.sum(1), torch.ones(3))
    torch.testing.assert_close(paper.reweighted, released.reweighted)


def test_released_matrices():
    golden = np.load(shared_file('golden/voc.npz'))
    similarity = np.load(shared_file('data/label_similarity/clip_rn50_voc.npy'))
    graph = build_label_graph(torch.from_numpy(similarity), 20, 0.2, 0.3)
    np.testing.assert_allclose(graph.normalized, golden['relation'], rtol=1e-5)
    np.testing.assert_allclose(graph.reweighted, golden['gcn_relation'], rtol=1e-5)


@pytest.mark.parametrize('name, topk', [('coco', 62), ('nuswide', 50), ('cub', 312)])
def test_published_similarities_make_graphs(name, topk):
    path = shared_file(f'data/label_similarity/clip_rn50_{name}.npy')
    similarity = torch.from_numpy(np.load(path)).float()
    graph = build_label_graph(similarity, topk, 0.2, 0.2)
    torch.testing.assert_close(graph.normalized.sum(1), torch.ones(len(similarity)))
    assert ((graph.normalized > 0).sum(1) >= topk - 1).all()


def test_similarity_of_published_features():
    features = np.load(shared_file('data/label_features/clip_rn50_coco.npy')).astype(
        'f4'
    )
    similarity = cosine_similarity(torch.from_numpy(features))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(similarity, unit @ unit.T, atol=1e-5)


def test_half_precision_is_computed_in_float32():
    similarity = torch.rand(6, 6)
    half = build_label_graph(similarity.half(), 3, 0.2, 0.3)
    full = build_label_graph(similarity.half().float(), 3, 0.2, 0.3)
    assert torch.equal(half.normalized, full.normalized)


def test_gradient_reaches_the_features():
    features = torch.randn(5, 7, dtype=torch.float64).abs().requires_grad_()
    graph = build_label_graph(cosine_similarity(features), 3, 0.2, 0.3)
    (grad,) = torch.autograd.grad((graph.normalized * torch.rand(5, 5)).sum(), features)
    assert grad.abs().max() > 0


NAMES = ['cat', 'dog', 'sea']


@pytest.mark.parametrize(
    'similarity, kwargs, message',
    [
        (torch.rand(3, 2), {}, r'square \(C, C\) matrix, found shape \(3, 2\)'),
        (torch.rand(3), {}, 'square'),
        (torch.rand(3, 3), dict(topk=4), r'\[1, 3\] for 3 labels, found topk=4'),
        (torch.rand(3, 3), dict(topk=0), 'found topk=0'),
        (torch.rand(3, 3), dict(neighbor_weight=1.5), 'neighbor_weight'),
        (torch.rand(3, 3), dict(temperature=0.0), 'temperature'),
        (
            torch.rand(3, 3),
            dict(temperature=None, topk=1, neighbor_weight=1),
            'leave a label no weight',
        ),
        (torch.rand(3, 3), dict(softmax_over='all'), 'softmax_over'),
        (torch.rand(2, 2), {}, '2 rows, but there are 3 class names'),
    ],
)
def test_bad_settings_are_named(similarity, kwargs, message):
    settings = dict(topk=2, neighbor_weight=0.2, temperature=0.3, names=NAMES)
    with pytest.raises(ValueError, match=message):
        build_label_graph(similarity, **{**settings, **kwargs})


def test_not_finite_names_the_labels():
    similarity = torch.rand(3, 3)
    similarity[1, 2] = float('nan')
    with pytest.raises(ValueError, match=r"label 1 \('dog'\) and label 2 \('sea'\)"):
        build_label_graph(similarity, 2, 0.2, 0.3, names=NAMES)


def test_label_without_neighbour_is_named():
    similarity = torch.eye(3)
    similarity[0, 1] = similarity[1, 0] = 0.5
    with pytest.raises(ValueError, match=r"kept for label 2 \('sea'\)"):
        build_label_graph(similarity, 2, 0.2, 0.3, names=NAMES)
