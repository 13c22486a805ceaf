import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from mmscpnet.evaluation import average_precision as module
from mmscpnet.evaluation import multilabel_average_precision

GOLDEN = os.path.join(
    os.path.dirname(__file__), '..', '..', '..', 'shared', 'golden', 'voc.npz'
)
MODES = ('non_interpolated', 'voc2012', 'voc2007_11point')


def slow_ap(scores, targets, mode):
    """One class with plain loops, from the definitions."""
    known = [(-s, i, t) for i, (s, t) in enumerate(zip(scores, targets)) if t != -1]
    known.sort()
    total = sum(t == 1 for _, _, t in known)
    if total == 0:
        return 0.0
    curve, hits = [], 0
    for rank, (_, _, target) in enumerate(known, 1):
        hits += target == 1
        curve.append((hits, hits / rank, target == 1))
    if mode == 'non_interpolated':
        return sum(p for _, p, positive in curve if positive) / total
    if mode == 'voc2012':
        area, before = 0.0, 0
        for i, (hits, _, _) in enumerate(curve):
            area += (hits - before) / total * max(p for _, p, _ in curve[i:])
            before = hits
        return area
    best = [
        max((p for hits, p, _ in curve if 10 * hits >= tenth * total), default=0.0)
        for tenth in range(11)
    ]
    return sum(best) / 11


def slow(scores, targets, mode):
    columns = zip(np.asarray(scores).T.tolist(), np.asarray(targets).T.tolist())
    return np.array([slow_ap(s, t, mode) for s, t in columns])


@pytest.mark.parametrize('mode', MODES)
@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 25), st.sampled_from([1, 2, 5, 81])),
    seed=st.integers(0, 10**6),
    levels=st.sampled_from([2, 5, 10**6]),
    unknown=st.sampled_from([0.0, 0.5, 1.0]),
    positive=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
)
def test_equals_plain_loops(mode, shape, seed, levels, unknown, positive):
    rng = np.random.default_rng(seed)
    # few levels make ties
    scores = rng.integers(0, levels, shape) / levels
    targets = (rng.random(shape) < positive).astype(int)
    targets[rng.random(shape) < unknown] = -1
    found = multilabel_average_precision(scores, targets, mode)
    assert found.dtype == torch.float64 and found.shape == (shape[1],)
    np.testing.assert_allclose(found.numpy(), slow(scores, targets, mode), rtol=1e-12)


def test_equals_sklearn_without_ties():
    rng = np.random.default_rng(0)
    scores = rng.permutation(200 * 7).reshape(200, 7).astype(np.float64)
    targets = (rng.random((200, 7)) < 0.2).astype(int)
    np.testing.assert_allclose(
        multilabel_average_precision(scores, targets).numpy(),
        [average_precision_score(targets[:, c], scores[:, c]) for c in range(7)],
        rtol=1e-12,
    )


@pytest.mark.skipif(not os.path.exists(GOLDEN), reason='golden/voc.npz is not there')
def test_golden_map():
    golden = np.load(GOLDEN)
    ap = multilabel_average_precision(golden['map_pred'], golden['map_y'])
    assert 100 * ap.mean().item() == pytest.approx(float(golden['mAP']), rel=1e-6)


def test_hand_computed():
    # ranked: + - + -  and a class whose unknown entry would rank first
    scores = torch.tensor([[0.9, 0.9], [0.8, 0.5], [0.7, 0.4], [0.1, 0.3]])
    targets = torch.tensor([[1, -1], [0, 0], [1, 1], [0, 1]])
    table = {
        'non_interpolated': [(1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2],
        'voc2012': [(1 + 2 / 3) / 2, 2 / 3],
        # recall 0 to .5 in six points, .6 to 1 in five
        'voc2007_11point': [(6 * 1 + 5 * 2 / 3) / 11, 2 / 3],
    }
    for mode, expected in table.items():
        found = multilabel_average_precision(scores, targets, mode)
        assert found.tolist() == pytest.approx(expected), mode


def test_eleven_points_at_recalls_that_floats_miss():
    # 3 of 10 positives is a recall of .3, though 3 * 0.1 > 0.3 in floats
    targets = np.array([1] * 3 + [0] * 90 + [1] * 7)[:, None]
    scores = np.arange(100, 0, -1.0)[:, None]
    tail = 10 / 100
    expected = (4 * 1.0 + 7 * tail) / 11
    found = multilabel_average_precision(scores, targets, 'voc2007_11point')
    assert found.item() == pytest.approx(expected)


def test_ties_keep_the_order_of_the_samples():
    scores = torch.zeros(4, 2)
    targets = torch.tensor([[1, 0], [0, 0], [0, 0], [0, 1]])
    assert multilabel_average_precision(scores, targets).tolist() == [1.0, 0.25]


@pytest.mark.parametrize('empty,expected', [('zero', [1.0, 0.0, 0.0]), ('skip', [1.0])])
@pytest.mark.parametrize('mode', MODES)
def test_classes_without_positives(mode, empty, expected):
    scores = torch.tensor([[0.5, 0.4, 0.1], [0.2, 0.3, 0.2]])
    targets = torch.tensor([[1, 0, -1], [0, 0, -1]])
    found = multilabel_average_precision(scores, targets, mode, empty)
    assert found.tolist() == expected
    nan = multilabel_average_precision(scores, targets, mode, 'nan')
    assert nan.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize('mode', MODES)
def test_one_class_one_image(mode):
    for target, expected in [(1, 1.0), (0, 0.0), (-1, 0.0)]:
        found = multilabel_average_precision([[0.3]], [[target]], mode)
        assert found.tolist() == [expected]
    assert multilabel_average_precision(
        torch.zeros(0, 2), torch.zeros(0, 2), mode
    ).tolist() == [0.0, 0.0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_ranked_as_it_is(dtype):
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(50, 4, generator=generator).to(dtype)
    targets = torch.randint(-1, 2, (50, 4), generator=generator)
    for mode in MODES:
        np.testing.assert_allclose(
            multilabel_average_precision(scores, targets, mode).numpy(),
            slow(scores.float().numpy(), targets.numpy(), mode),
            rtol=1e-12,
        )


def test_infinite_scores_are_ranks_too():
    inf = float('inf')
    scores = torch.tensor([[-inf], [inf], [0.0]])
    targets = torch.tensor([[1], [1], [0]])
    assert multilabel_average_precision(scores, targets).item() == pytest.approx(5 / 6)


def test_chunks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    scores, targets = rng.random((20, 11)), rng.integers(-1, 2, (20, 11))
    whole = multilabel_average_precision(scores, targets)
    monkeypatch.setattr(module, 'CHUNK_ENTRIES', 60)
    assert torch.equal(multilabel_average_precision(scores, targets), whole)


@pytest.mark.parametrize(
    'scores,targets,kwargs,match',
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), {}, r'\(3, 2\) and \(3, 3\)'),
        (np.zeros(3), np.zeros(3), {}, r'must both be \(N, C\)'),
        (np.zeros((3, 0)), np.zeros((3, 0)), {}, 'no class'),
        ([[0.0, float('nan')]], [[1, 1]], {}, r'class index \[1\]'),
        ([[0.0, 1.0]], [[1, 2]], {}, 'found 2 in row 0, class index 1'),
        ([[0.0]], [[1]], dict(mode='voc'), 'mode'),
        ([[0.0]], [[1]], dict(empty='one'), 'empty'),
    ],
)
def test_refused_input(scores, targets, kwargs, match):
    with pytest.raises(ValueError, match=match):
        multilabel_average_precision(scores, targets, **kwargs)
