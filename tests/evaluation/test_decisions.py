"""The decisions file: written, read back, applied and refused."""

import json

import numpy as np
import pytest
import torch

from mmscpnet.evaluation import Decisions, fit_calibration, load_decisions
from mmscpnet.evaluation.decision_errors import confused_pairs, worst_entries

CLASSES = ('cat', 'dog', 'sea')
RNG = np.random.default_rng(0)
SCORES = RNG.random((100, 3)).astype(np.float32)
LABELS = (RNG.random((100, 3)) < SCORES).astype(np.int8)


def make(method='platt'):
    return Decisions(
        CLASSES,
        np.array([0.5, 0.25, np.inf]),
        fit_calibration(SCORES, LABELS, method),
        dict(goal='f1'),
    )


def write(folder, content):
    path = folder / 'decisions.json'
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize('method', ['none', 'temperature', 'platt', 'isotonic'])
def test_the_file_says_the_same(tmp_path, method):
    made = make(method)
    read = load_decisions(write(tmp_path, made.to_json()))
    assert read.classes == CLASSES and read.made == made.made
    assert np.array_equal(read.thresholds, made.thresholds)
    assert np.array_equal(read.probabilities(SCORES), made.probabilities(SCORES))
    assert read.calibration.method == method


def test_decisions_are_on_the_scores():
    decisions = make()
    scores = np.array([[0.5, 0.2, 1.0], [0.4, 0.25, 0.0]])
    want = [[True, False, False], [False, True, False]]
    for given in (scores, torch.tensor(scores), torch.tensor(scores).bfloat16()):
        assert decisions.decide(given).tolist() == want
    assert decisions.decide(scores[0]).tolist() == want[0]
    assert decisions.probabilities(scores).shape == (2, 3)
    with pytest.raises(ValueError, match=r'scores of 3 classes are expected.*\(2, 2\)'):
        decisions.decide(scores[:, :2])


@pytest.mark.parametrize(
    'classes, message',
    [
        (('cat', 'sea', 'dog'), 'the names are the same, their order is not'),
        (
            ('cat', 'dog', 'bird'),
            "without a threshold: 'bird'; not of the model: 'sea'",
        ),
        (tuple(f'c{i}' for i in range(20)), 'and 8 more'),
    ],
)
def test_other_classes_are_refused_by_name(classes, message):
    make().check_classes(CLASSES, 'the model')
    with pytest.raises(ValueError, match=message):
        make().check_classes(classes, 'the model')


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(format='x'), 'this is no decisions file'),
        (dict(version=2), 'version 2 is not known'),
        (dict(classes=['cat', 1, 'sea']), 'classes must be a list of names'),
        (dict(classes=['cat', 'cat', 'sea']), 'classes holds a name twice'),
        (dict(thresholds=[0.5]), 'thresholds must be a list of 3'),
        (dict(thresholds=[0.5, 2, None]), "thresholds: 2 of 'dog' is neither"),
        (dict(thresholds=[0.5, True, None]), "thresholds: True of 'dog'"),
        (dict(calibration=None), 'calibration.method must be one of'),
        (
            dict(calibration=dict(method='platt', slope=[1])),
            'slope must be a list of 3',
        ),
        (
            dict(calibration=dict(method='platt', slope=[-1] * 3, intercept=[0] * 3)),
            'slope must be positive',
        ),
        (
            dict(calibration=dict(method='platt', slope=['a'] * 3, intercept=[0] * 3)),
            'slope must hold numbers',
        ),
        (
            dict(
                calibration=dict(
                    method='isotonic', score=[[0, 0]] * 3, probability=[[0, 1]] * 3
                )
            ),
            'calibration.score must rise',
        ),
        (
            dict(
                calibration=dict(
                    method='isotonic', score=[[0, 1]] * 3, probability=[[1, 0]] * 3
                )
            ),
            'calibration.probability must rise',
        ),
    ],
)
def test_a_wrong_file_is_refused_by_key(tmp_path, change, message):
    path = write(tmp_path, {**make().to_json(), **change})
    with pytest.raises(ValueError, match=f'decisions.json: .*{message}'):
        load_decisions(path)


def test_no_file_or_no_json(tmp_path):
    with pytest.raises(FileNotFoundError, match='choose_thresholds'):
        load_decisions(tmp_path / 'none.json')
    with pytest.raises(ValueError, match='is not JSON'):
        load_decisions(write(tmp_path, '{'))


def test_confused_pairs_are_counted_as_a_loop_counts():
    decided = RNG.random((80, 5)) < 0.4
    targets = RNG.integers(-1, 2, (80, 5))
    want = {}
    for given, labels in zip(decided, targets):
        for i in range(5):
            for j in range(5):
                if labels[i] == 1 and not given[i] and labels[j] == 0 and given[j]:
                    want[i, j] = want.get((i, j), 0) + 1
    pairs = confused_pairs(decided, targets, most=100)
    assert {(p.missed, p.given): p.count for p in pairs} == want
    assert [p.count for p in pairs] == sorted(want.values(), reverse=True)
    for pair in pairs:
        assert pair.share == pair.count / (targets[:, pair.missed] == 1).sum()
    assert confused_pairs(targets == 1, targets) == []


def test_worst_errors_are_of_different_photos():
    probabilities = np.array([[0.9, 0.8], [0.7, 0.2], [0.6, 0.1], [0.95, 0.3]])
    decided = probabilities > 0.5
    targets = np.array([[0, 0], [0, 1], [1, 1], [-1, 1]])
    positives, negatives = worst_entries(probabilities, decided, targets, 2)
    assert positives == [(0, 0), (1, 0)]
    assert negatives == [(2, 1), (1, 1)]
