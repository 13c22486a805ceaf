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
    known = [(s, t) for s, t in zip(scores, targets) if t != -1]
    total = sum(t == 1 for _, t in known)
    if total == 0:
        return 0.0
    # one point of the curve for each distinct score: positives found, precision
    curve = []
    for threshold in sorted({s for s, _ in known}, reverse=True):
        above = [t for s, t in known if s >= threshold]
        hits = sum(t == 1 for t in above)
        curve.append((hits, hits / len(above)))
    if mode == 'voc2007_11point':
        best = [
            max((p for hits, p in curve if 10 * hits >= tenth * total), default=0.0)
            for tenth in range(11)
        ]
        return sum(best) / 11
    area, before = 0.0, 0
    for i, (hits, precision) in enumerate(curve):
        if mode == 'voc2012':
            precision = max(p for _, p in curve[i:])
        area += (hits - before) / total * precision
        before = hits
    return area


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
    # whole numbers of some 30, 32 and 64 bits are sorted in place of these
    kind=st.sampled_from(['probability', 'logit', 'double']),
)
def test_equals_plain_loops(mode, shape, seed, levels, unknown, positive, kind):
    rng = np.random.default_rng(seed)
    # few levels make ties
    scores = rng.integers(0, levels, shape) / levels
    if kind == 'logit':
        # -0.0 is as high as 0.0
        scores = (2 * scores - 1) * rng.choice([1, -1, 7], shape)
    if kind != 'double':
        scores = scores.astype(np.float32)
    targets = (rng.random(shape) < positive).astype(int)
    targets[rng.random(shape) < unknown] = -1
    found = multilabel_average_precision(scores, targets, mode)
    assert found.dtype == torch.float64 and found.shape == (shape[1],)
    np.testing.assert_allclose(found.numpy(), slow(scores, targets, mode), rtol=1e-12)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_equals_sklearn(dtype):
    rng = np.random.default_rng(0)
    shape = 500, 9
    free = rng.permutation(shape[0] * shape[1]).reshape(shape).astype(dtype) - 2000
    targets = (rng.random(shape) < np.linspace(0.01, 0.9, 9)).astype(int)
    # without ties, with some, with many
    for scores in (free, np.floor(free / 50), np.sign(free)):
        expected = [
            average_precision_score(targets[:, c], scores[:, c]) for c in range(9)
        ]
        found = multilabel_average_precision(scores, targets).numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


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


def test_order_of_the_samples_does_not_matter():
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.integers(0, 5, (60, 7)).astype(np.float32))
    targets = torch.from_numpy(rng.integers(-1, 2, (60, 7)))
    for mode in MODES:
        first = multilabel_average_precision(scores, targets, mode)
        order = torch.from_numpy(rng.permutation(60))
        second = multilabel_average_precision(scores[order], targets[order], mode)
        assert torch.equal(first, second)


def test_a_constant_score_earns_the_share_of_positives():
    targets = torch.tensor([[1, 0], [0, -1], [0, 0], [0, 1]])
    for scores in (torch.zeros(4, 2), torch.full((4, 2), -torch.inf)):
        found = multilabel_average_precision(scores, targets)
        assert found.tolist() == pytest.approx([1 / 4, 1 / 3])
    # of both signs, zero is one score
    zeros = torch.tensor([[0.0], [-0.0], [0.0], [-0.0]])
    assert multilabel_average_precision(zeros, targets[:, :1]).item() == 0.25


def test_threads_and_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    scores = rng.random((300, 40), np.float32)
    targets = (rng.random((300, 40)) < rng.random(40)).astype(int)
    first = multilabel_average_precision(scores, targets)
    for threads, entries in ((4, 1), (2, 1000), (3, 1 << 18)):
        monkeypatch.setattr(torch, 'get_num_threads', lambda n=threads: n)
        monkeypatch.setattr(module, 'CACHE_ENTRIES', entries)
        second = multilabel_average_precision(scores, targets)
        torch.testing.assert_close(first, second, rtol=0, atol=1e-14)
    # the same call gives the same bits
    assert torch.equal(second, multilabel_average_precision(scores, targets))


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
    found = multilabel_average_precision(scores, targets)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-14)


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
