import numpy as np
import pytest
import torch

from mmscpnet.evaluation import SaveScores

SAMPLES = [
    dict(
        pred_score=torch.tensor([0.25, 0.5]),
        gt_score=torch.tensor([1, -1]),
        img_path='a.jpg',
    ),
    dict(
        pred_score=torch.tensor([1.0, 0.0], dtype=torch.float16),
        gt_label=torch.tensor([1]),
        num_classes=2,
    ),
]


def save(path, samples=SAMPLES):
    metric = SaveScores(str(path))
    metric.dataset_meta = dict(classes=('cat', 'dog'))
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_file(tmp_path):
    path = tmp_path / 'deep' / 'scores.npz'
    assert save(path) == {}
    with np.load(path, allow_pickle=False) as file:
        assert file['scores'].tolist() == [[0.25, 0.5], [1, 0]]
        assert file['targets'].tolist() == [[1, -1], [0, 1]]
        assert file['targets'].dtype == np.int8
        assert file['img_path'].tolist() == ['a.jpg', 'sample 1']
        assert file['classes'].tolist() == ['cat', 'dog']


def test_existing_file_is_kept(tmp_path):
    path = tmp_path / 'scores.npz'
    save(path)
    before = path.read_bytes()
    save(path, SAMPLES[:1])
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_samples_without_labels(tmp_path):
    with pytest.raises(ValueError, match='b.jpg: neither gt_score nor gt_label'):
        save(tmp_path / 'a.npz', [dict(pred_score=torch.rand(2), img_path='b.jpg')])
