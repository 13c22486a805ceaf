"""Thresholds against a search through every possible one."""

import numpy as np
import pytest

from mmscpnet.evaluation.thresholds import (
    choose_thresholds,
    cross_validated_decisions,
)

RNG = np.random.default_rng(0)


def make(images=60, classes=7, known=0.6, ties=False):
    targets = (RNG.random((images, classes)) < 0.3).astype(np.int8)
    scores = np.clip(0.3 * targets + RNG.normal(0.4, 0.2, targets.shape), 0, 1)
    scores = (scores.round(1) if ties else scores).astype(np.float32)
    return scores, np.where(RNG.random(targets.shape) < known, targets, -1)


def counts(scores, targets, threshold):
    given, known = scores >= threshold, targets != -1
    correct = (given & (targets == 1)).sum()
    return correct, (given & known).sum(), (targets == 1).sum()


def every_threshold(scores):
    return sorted({float(s) for s in scores.ravel()}, reverse=True)


def best_by_search(scores, targets, goal, value):
    """Correct and predicted decisions of the best threshold, or None."""
    found = []
    for threshold in every_threshold(scores[targets != -1]):
        correct, given, positive = counts(scores, targets, threshold)
        if goal == 'f1':
            found.append((2 * correct / (given + positive), -given, correct))
        elif goal == 'precision' and correct / given >= value - 1e-9:
            found.append((given, -given, correct))
        elif goal == 'recall' and correct / positive >= value - 1e-9:
            found.append((-given, -given, correct))
    if not found:
        return None
    _, given, correct = max(found)
    return correct, -given


@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize(
    'goal, value',
    [
        ('f1', None),
        ('precision', 0.7),
        ('precision', 1),
        ('recall', 0.8),
        ('recall', 1),
    ],
)
def test_equal_to_a_search(goal, value, ties):
    scores, targets = make(ties=ties)
    chosen = choose_thresholds(scores, targets, goal, value, min_positives=1)
    assert not len(chosen.borrowed)
    columns = [(scores[:, c], targets[:, c], chosen.thresholds[c]) for c in range(7)]
    for column, labels, threshold in [*columns, (scores, targets, chosen.common)]:
        want = best_by_search(column, labels, goal, value)
        got = counts(column, labels, threshold)[:2]
        assert (want is None and got[1] == 0 and np.isinf(threshold)) or got == want
    single = choose_thresholds(scores, targets, goal, value, per_class=False)
    assert (single.thresholds == chosen.common).all()


def test_worked_by_hand():
    scores = np.array([[0.9], [0.8], [0.6], [0.4], [0.2]], np.float32)
    targets = np.array([[1], [1], [0], [1], [0]])
    # F1 of the first k: 1/2, 4/5, 2/3, 6/7, 3/4.
    found = {
        ('f1', None): 0.3,
        ('precision', 1.0): 0.7,
        ('precision', 0.75): 0.3,
        ('recall', 0.5): 0.7,
        ('recall', 0.7): 0.3,
        ('budget', 0.4): 0.7,
        ('budget', 1): 0.1,
    }
    for (goal, value), want in found.items():
        chosen = choose_thresholds(scores, targets, goal, value, min_positives=1)
        assert chosen.thresholds == pytest.approx([want]), goal
    never = choose_thresholds(scores, 1 - targets, 'precision', 0.9, min_positives=1)
    assert np.isinf(never.thresholds).all()


def test_neighbouring_floats_are_told_apart():
    """The threshold is a float32 that only the accepted scores reach."""
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    scores = np.array([[high], [low]])
    chosen = choose_thresholds(
        scores, np.array([[1], [0]]), 'precision', 1.0, min_positives=1
    )
    (threshold,) = chosen.thresholds
    assert threshold == np.float32(threshold)
    assert (scores >= np.float32(threshold)).ravel().tolist() == [True, False]


@pytest.mark.parametrize('per_class', [True, False])
@pytest.mark.parametrize('value', [0.01, 0.5, 2.3, 7])
def test_a_budget_is_used_up_and_not_exceeded(per_class, value):
    scores = RNG.random((100, 7)).astype(np.float32)
    targets = make(images=100)[1]
    probabilities = scores ** np.linspace(0.5, 3, 7)
    chosen = choose_thresholds(
        scores, targets, 'budget', value, per_class, probabilities=probabilities
    )
    given = scores >= chosen.thresholds
    assert given.sum() == round(value * 100)
    # Those of the highest scores, or probabilities.
    key = probabilities if per_class else scores
    assert key[given].min() >= (key[~given].max() if (~given).any() else 0)
    # It takes no label.
    unknown = np.full_like(targets, -1)
    choose_thresholds(scores, unknown, 'budget', value, per_class)


def test_ties_do_not_exceed_a_budget():
    scores = np.full((4, 2), 0.5, np.float32)
    labels = np.full((4, 2), -1)
    assert np.isinf(choose_thresholds(scores, labels, 'budget', 1).thresholds).all()
    assert (choose_thresholds(scores, labels, 'budget', 2).thresholds <= 0.5).all()


def test_classes_with_too_little_known_take_the_common_threshold():
    scores, targets = make(images=200, known=1)
    targets[:, 1] = -1  # nothing
    targets[:, 2] = np.where(np.arange(200) < 3, 1, 0)  # three positives
    targets[:, 3] = np.where(targets[:, 3] == 1, 1, -1)  # no negative
    targets[:, 4] = 0  # no positive
    chosen = choose_thresholds(scores, targets)
    assert chosen.borrowed.tolist() == [1, 2, 3, 4]
    assert (chosen.thresholds[chosen.borrowed] == chosen.common).all()
    # Recall needs no negatives.
    assert choose_thresholds(scores, targets, 'recall', 0.9).borrowed.tolist() == [
        1,
        2,
        4,
    ]


def test_unknown_entries_do_not_count():
    scores, targets = make(known=1)
    hidden = targets.copy()
    hidden[::2] = -1
    want = choose_thresholds(scores[1::2], targets[1::2], min_positives=1)
    got = choose_thresholds(scores, hidden, min_positives=1)
    assert np.array_equal(got.thresholds, want.thresholds)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(goal='accuracy'), 'goal must be one of'),
        (dict(goal='precision'), 'a precision from above 0 to 1 is wanted, found None'),
        (dict(goal='recall', value=1.2), 'a recall from above 0'),
        (dict(goal='budget', value=9), 'at most 7, found 9'),
        (dict(scores=2.0), 'scores must be from 0 to 1, found'),
        (dict(scores=np.nan), 'scores must be from 0 to 1'),
        (dict(targets=-1), 'needs known positives'),
        (dict(targets=1), 'needs known negatives.*recall or budget'),
        (dict(targets=1, goal='precision', value=0.9), 'precision cannot be measured'),
    ],
)
@pytest.mark.filterwarnings('ignore:All-NaN')
def test_refusals(change, message):
    scores, targets = make()
    if 'scores' in change:
        scores = np.full_like(scores, change['scores'])
    if 'targets' in change:
        targets = np.full_like(targets, change['targets'])
    with pytest.raises(ValueError, match=message):
        choose_thresholds(
            scores, targets, change.get('goal', 'f1'), change.get('value')
        )


def test_too_few_images_to_hold_some_out():
    def choose(others, labels):
        return choose_thresholds(others, labels).thresholds.__le__

    targets = np.array([[1, 0], [0, 0]])
    with pytest.raises(ValueError, match='with 1 of 2 images, to hold out the others'):
        cross_validated_decisions(np.full((2, 2), 0.5), targets, choose)


def test_held_out_images_are_not_seen():
    scores = np.arange(20, dtype=np.float32).reshape(10, 2) / 20
    targets = np.zeros((10, 2), int)
    seen = []

    def choose(others, labels):
        assert others.shape == labels.shape
        seen.append({tuple(row) for row in others.tolist()})
        return lambda rows: np.array(
            [[tuple(row) in seen[-1]] * 2 for row in rows.tolist()]
        )

    decided = cross_validated_decisions(scores, targets, choose, folds=3)
    assert len(seen) == 3 and decided.shape == (10, 2) and not decided.any()
