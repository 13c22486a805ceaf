"""Permuted similarities, and co-occurrence against counting."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmscpnet.registry import LABEL_SOURCES

CLASSES = ['cat', 'dog', 'sea', 'sky']
LABELS = [[0, 1], [0, 1, 3], [2, 3], [0], [2, 3], []]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')


def cooccurrence(folder, labels=LABELS, classes=CLASSES):
    lines = [f'{i}.jpg,{" ".join(map(str, row))}' for i, row in enumerate(labels)]
    (folder / 'list.txt').write_text('\n'.join(lines))
    dataset = dict(
        type='MultiLabelListDataset', ann_file=str(folder / 'list.txt'), classes=classes
    )
    return LABEL_SOURCES.build(dict(type='Cooccurrence', dataset=dataset))


def test_cooccurrence_is_counted(tmp_path):
    found = cooccurrence(tmp_path).similarity(CLASSES)
    for i in range(4):
        for j in range(4):
            both = sum(i in row and j in row for row in LABELS)
            each = [sum(k in row for row in LABELS) for k in (i, j)]
            assert found[i, j] == pytest.approx(both / np.sqrt(each[0] * each[1]))


def test_cooccurrence_of_an_incomplete_file(tmp_path):
    """Known positives count; known negatives and unknown labels do not."""
    rows = [([0, 1], [2]), ([0], [1]), ([1, 2], []), ([2], [0]), ([0, 1, 2], [])]
    content = dict(
        metainfo=dict(classes=CLASSES[:3], unlisted='unknown'),
        data_list=[
            dict(img_path=f'{i}.jpg', gt_label=positive, negative_label=negative)
            for i, (positive, negative) in enumerate(rows)
        ],
    )
    path = tmp_path / 'completed.json'
    path.write_text(json.dumps(content))
    dataset = dict(type='IncompleteMultiLabelDataset', ann_file=str(path))
    source = LABEL_SOURCES.build(dict(type='Cooccurrence', dataset=dataset))
    found = source.similarity(CLASSES[:3])
    # Each label three times; 0 and 1 twice together, 0 and 2 once, 1 and 2 twice.
    expected = torch.tensor([[3, 2, 1], [2, 3, 2], [1, 2, 3]]) / 3
    assert torch.allclose(found, expected)


def test_cooccurrence_refuses(tmp_path):
    with pytest.raises(ValueError, match="'sky' never occurs"):
        cooccurrence(tmp_path, [[0, 1, 2]]).similarity(CLASSES)
    with pytest.raises(ValueError, match='the dataset has the classes'):
        cooccurrence(tmp_path).similarity(CLASSES[::-1])


def test_permutation_keeps_the_weights_and_moves_the_labels(tmp_path):
    matrix = torch.rand(20, 20)
    np.save(tmp_path / 'matrix.npy', matrix.numpy())
    source = dict(type='SimilarityFile', path=str(tmp_path / 'matrix.npy'))
    names = [f'label {i}' for i in range(20)]
    found = [
        LABEL_SOURCES.build(
            dict(type='PermutedSource', source=source, seed=seed)
        ).similarity(names)
        for seed in (0, 0, 1)
    ]
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    for moved in found:
        assert torch.equal(moved.flatten().sort()[0], matrix.flatten().sort()[0])
        assert torch.equal(moved.diagonal().sort()[0], matrix.diagonal().sort()[0])
        assert not torch.equal(moved, matrix)
