"""Proposals against the truth, counted by loops and by scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve as sklearn_curve

from mmscpnet.datasets.formats.provenance import read_traced_labels
from mmscpnet.evaluation.completion_study import (
    precision_recall_curve,
    read_truth,
    study_completion,
)


def test_counts():
    rng = np.random.default_rng(0)
    shape = (40, 6)
    truth = rng.integers(-1, 2, shape).astype(np.int8)
    states = np.where(rng.random(shape) < 0.3, rng.integers(0, 2, shape), -1)
    positives = (states == -1) & (rng.random(shape) < 0.3)
    negatives = (states == -1) & ~positives & (rng.random(shape) < 0.5)
    disputed = (states != -1) & (rng.random(shape) < 0.5)
    positives[:, 5], truth[:, 4] = False, np.where(truth[:, 4] == 1, 0, truth[:, 4])
    probability = rng.random(shape)
    study = study_completion(
        states, truth, positives, negatives, disputed, probability, True
    )
    every = [(i, c) for i in range(shape[0]) for c in range(shape[1])]
    for c in range(shape[1]):
        mine = [(i, k) for i, k in every if k == c and states[i, k] == -1]
        judged = [e for e in mine if positives[e] and truth[e] != -1]
        correct = sum(truth[e] == 1 for e in judged)
        hidden = sum(truth[e] == 1 for e in mine)
        assert study.judged[c] == len(judged) and study.correct[c] == correct
        assert study.hidden[c] == hidden
        if judged:
            assert study.precision[c] == pytest.approx(correct / len(judged))
        if hidden:
            assert study.recall[c] == pytest.approx(correct / hidden)
        values = [probability[e] for e in mine if positives[e]]
        if values:
            assert study.expected[c] == pytest.approx(np.mean(values))
    assert np.isnan(study.precision[5]) and np.isnan(study.expected[5])
    assert np.isnan(study.recall[4]) and study.hidden[4] == 0
    total = study.correct.sum()
    assert study.overall == pytest.approx(
        (total / study.judged.sum(), total / study.hidden.sum())
    )
    assert study.expected_overall == pytest.approx(probability[positives].mean())
    absent = [e for e in every if negatives[e] and truth[e] != -1]
    assert study.negatives == (len(absent), sum(truth[e] == 0 for e in absent))
    known = [e for e in every if states[e] != -1 and truth[e] != -1]
    wrong = {e for e in known if states[e] != truth[e]}
    assert study.wrong == len(wrong)
    doubted = [e for e in known if disputed[e]]
    assert study.disputed == (len(doubted), sum(e in wrong for e in doubted))
    plain = study_completion(
        states, truth, positives, negatives, disputed, probability, False
    )
    assert np.isnan(plain.expected).all() and np.isnan(plain.expected_overall)


def test_curve_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth = rng.integers(-1, 2, (60, 4))
    probability = rng.integers(0, 20, (60, 4)) / 20
    recall, precision, expected = precision_recall_curve(probability, truth)
    use = truth != -1
    want_p, want_r, thresholds = sklearn_curve(truth[use], probability[use])
    np.testing.assert_allclose(precision[::-1], want_p[:-1])
    np.testing.assert_allclose(recall[::-1], want_r[:-1])
    for threshold, mean in zip(thresholds, expected[::-1]):
        values = probability[use]
        assert mean == pytest.approx(values[values >= threshold].mean())
    # Photos that were not read are never proposed, but their positives are missed.
    probability[truth == 1] = np.nan
    assert precision_recall_curve(probability, truth)[0].max() == 0
    nothing = precision_recall_curve(probability, 0 * truth)
    assert all(len(part) == 0 for part in nothing)


def write(path, classes, rows):
    content = dict(
        metainfo=dict(classes=classes),
        data_list=[dict(img_path=name, gt_label=labels) for name, labels in rows],
    )
    path.write_text(json.dumps(content))
    return path


def test_truth_goes_by_name(tmp_path):
    mine = write(tmp_path / 'a.json', ['a', 'b'], [('1.jpg', [0]), ('2.jpg', [])])
    labels = read_traced_labels(mine)
    rows = [('2.jpg', [0, 2]), ('9.jpg', [1]), ('1.jpg', [1, 2])]
    other = write(tmp_path / 'b.json', ['b', 'z', 'a'], rows)
    assert read_truth(other, labels).tolist() == [[1, 0], [1, 1]]
    lists = tmp_path / 'b.txt'
    lists.write_text('2.jpg,1\n1.jpg,0 1\n')
    assert read_truth(lists, labels).tolist() == [[1, 1], [0, 1]]
    with pytest.raises(ValueError, match='lacks 1 of 2 images .* first is 2.jpg'):
        read_truth(write(other, ['a', 'b'], [('1.jpg', [])]), labels)
    with pytest.raises(ValueError, match="other labels .*missing: \\['b'\\]"):
        read_truth(write(tmp_path / 'c.json', ['a', 'z'], [('1.jpg', [])]), labels)
    with pytest.raises(ValueError, match='1.jpg occurs twice'):
        read_truth(write(other, ['a', 'b'], [('1.jpg', [])] * 2), labels)
