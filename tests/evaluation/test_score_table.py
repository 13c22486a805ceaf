"""Scores that were written are read back, or refused by name."""

import json

import numpy as np
import pytest
import torch

from mmscpnet.evaluation import SaveScores, load_scores

CLASSES = ['cat', 'dog', 'sea']


def test_what_the_metric_wrote(tmp_path):
    metric = SaveScores(str(tmp_path / 'scores.npz'))
    metric.dataset_meta = dict(classes=CLASSES)
    rng = np.random.default_rng(0)
    scores = rng.random((5, 3)).astype(np.float32)
    targets = rng.integers(-1, 2, (5, 3))
    samples = [
        dict(
            pred_score=torch.tensor(scores[i]),
            gt_score=torch.tensor(targets[i]),
            img_path=f'{i}.jpg',
        )
        for i in range(5)
    ]
    metric.process(None, samples)
    metric.evaluate(5)
    table = load_scores(tmp_path / 'scores.npz')
    assert np.array_equal(table.scores, scores)
    assert np.array_equal(table.targets, targets)
    assert table.img_path == [f'{i}.jpg' for i in range(5)]
    assert table.classes == CLASSES
    with pytest.raises(ValueError, match='scores of other classes'):
        load_scores(tmp_path / 'scores.npz', CLASSES[::-1])


def test_what_test_py_wrote(tmp_path):
    path = tmp_path / 'scores.json'
    entries = [
        dict(img_path='a.jpg', pred_score=[0.1, 0.2, 0.3], gt_score=[1, -1, 0]),
        dict(img_path=None, pred_score=[0.5, 0.5, 0.5], gt_label=[0, 2]),
    ]
    path.write_text(json.dumps(entries))
    table = load_scores(path)
    assert table.targets.tolist() == [[1, -1, 0], [1, 0, 1]]
    assert table.img_path == ['a.jpg', '']
    assert table.classes == ['class 0', 'class 1', 'class 2']
    assert load_scores(path, CLASSES).classes == CLASSES
    with pytest.raises(ValueError, match='scores of 3 classes, but 2 names'):
        load_scores(path, CLASSES[:2])


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('a.txt', '', r'from \.npz and \.json'),
        ('a.json', '{', 'is not JSON'),
        ('a.json', '{}', 'must hold a list of images'),
        ('a.json', '[]', 'must hold a list of images'),
        ('a.json', '[{"gt_label": [0]}]', 'entry 0 has no pred_score'),
        ('a.json', '[{"pred_score": [0.5]}]', 'entry 0: neither gt_score nor gt_label'),
        (
            'a.json',
            '[{"pred_score": [0], "gt_label": []}, {"pred_score": [0, 1]}]',
            'entry 1 has another number of scores',
        ),
        ('a.json', '[{"pred_score": [NaN], "gt_label": []}]', 'hold NaN'),
        ('a.npz', 'no archive', 'cannot be read as .npz'),
    ],
)
def test_refusals(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_scores(path)


def test_refused_arrays(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.npz'):
        load_scores(tmp_path / 'none.npz')
    path = tmp_path / 'a.npz'
    np.savez(path, scores=np.zeros((2, 3)))
    with pytest.raises(ValueError, match='lacks targets'):
        load_scores(path)
    np.savez(path, scores=np.zeros((2, 3)), targets=np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r'\(2, 3\) and targets \(3, 3\)'):
        load_scores(path)
