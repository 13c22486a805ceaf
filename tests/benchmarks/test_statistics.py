import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mmscpnet.benchmarks import bootstrap_map, paired_difference, resampled
from mmscpnet.evaluation import MultiLabelMAP


@pytest.fixture
def problem():
    rng = np.random.default_rng(1)
    targets = rng.integers(-1, 2, (40, 6)).astype(np.int8)
    targets[:, 4] = np.where(targets[:, 4] == 1, 0, targets[:, 4])  # no positive
    targets[:, 5] = -1
    return rng.random((40, 6)), targets


def test_every_image_once_is_the_metric(problem):
    scores, targets = problem
    expected = MultiLabelMAP.calculate(scores, targets, empty='skip')['mAP']
    found = bootstrap_map(scores, targets, np.ones((1, 40)))
    assert found == pytest.approx([expected], rel=1e-6)


def test_copies_are_sample_weights(problem):
    scores, targets = problem
    weights = np.random.default_rng(0).integers(0, 4, (3, 40))
    for copies, found in zip(weights, bootstrap_map(scores, targets, weights)):
        aps = []
        for c in range(4):
            known = targets[:, c] != -1
            truth = targets[known, c] == 1
            if (copies[known] * truth).sum():
                aps.append(
                    average_precision_score(
                        truth, scores[known, c], sample_weight=copies[known]
                    )
                )
        assert found == pytest.approx(100 * np.mean(aps), rel=1e-6)


def test_paired_difference(problem):
    scores, targets = problem
    run = resampled(scores, targets)
    better = resampled(np.where(targets == 1, scores + 0.3, scores), targets)
    same = paired_difference([run], [run], [(50, 50)])
    assert same.mean == same.low == same.high == 0 and np.isnan(same.std)
    found = paired_difference([better] * 2, [run] * 2, [(60, 50), (63, 51)])
    assert found.per_seed == [10, 12] and found.mean == 11
    assert found.std == pytest.approx(2**0.5)
    assert 0 < found.low < found.high
    again = paired_difference([better], [run], [(60, 50)])
    assert (again.low, again.high) == (found.low, found.high)


def test_interval_is_that_of_a_plain_bootstrap(problem):
    """Against a loop that copies the images, up to the noise of 400 resamples."""
    scores, targets = problem
    targets = np.abs(targets)
    better = np.where(targets == 1, scores + 0.2, scores)
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, 40, 40)
        pair = [
            MultiLabelMAP.calculate(s[rows], targets[rows], empty='skip')['mAP']
            for s in (better, scores)
        ]
        drawn.append(pair[0] - pair[1])
    runs = [resampled(s, targets, resamples=400) for s in (better, scores)]
    found = paired_difference(runs[:1], runs[1:], [(1, 0)])
    low, high = np.percentile(drawn, [2.5, 97.5])
    spread = high - low
    assert found.low == pytest.approx(low, abs=0.2 * spread)
    assert found.high == pytest.approx(high, abs=0.2 * spread)


def test_what_cannot_be_paired(problem):
    scores, targets = problem
    run = resampled(scores, targets)
    for others in (-targets, targets[:-1]):
        other = resampled(scores[: len(others)], others)
        with pytest.raises(ValueError, match='different images or labels'):
            paired_difference([run], [other], [(1, 1)])
    with pytest.raises(ValueError, match='cannot be paired'):
        paired_difference([run] * 2, [run], [(1, 1)])
