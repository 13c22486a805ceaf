"""What a report warns of."""

import numpy as np
import pytest

from mmscpnet.datasets import MultiLabelListDataset
from mmscpnet.datasets.label_statistics import (
    LabelStatistics,
    SplitLabels,
    read_split,
)
from mmscpnet.datasets.label_warnings import find_warnings, shared_images
from tests.shared import shared_file

CLASSES = ['cat', 'dog', 'sea']
# Twelve images on which every label is positive and negative often enough.
GOOD = np.array([[1, 1, 1]] * 11 + [[1, 0, 0]])


def make(name, scores, full=None, paths=None, classes=CLASSES, **kwargs):
    def count(labels):
        if labels is None:
            return None
        statistics = LabelStatistics(len(classes))
        statistics.add(np.array(labels))
        return statistics

    paths = [f'{name}/{i}.jpg' for i in range(len(scores))] if paths is None else paths
    observed = count(scores)
    return SplitLabels(name, classes, observed, count(full), paths=paths, **kwargs)


def test_nothing_to_warn_of():
    assert find_warnings([make('train', GOOD), make('test', GOOD)]) == []


def test_classes_that_are_never_or_seldom_positive():
    scores = GOOD.copy()
    scores[:, 0] = 0
    scores[3:, 1] = -1
    assert find_warnings([make('train', scores)]) == [
        'train: 1 of 3 classes is never positive: cat.',
        'train: 1 of 3 classes is positive on fewer than 10 images: dog (3).',
        'train: 1 of 12 images without a known positive.',
    ]
    (cats, _) = find_warnings([make('train', scores)], few=3)
    assert 'cat' in cats
    (cats, *_) = find_warnings([make('train', scores, GOOD)])
    assert cats.endswith('cat. 1 of them only because of the label masking.')


def test_rarest_classes_come_first_and_lists_are_cut():
    classes = [f'class {i}' for i in range(50)]
    scores = (np.arange(50)[None] > 45 - np.arange(9)[:, None]).astype(int)
    scores = np.concatenate([scores, np.zeros((1, 50), int)])
    absent, rare, _ = find_warnings([make('train', scores, classes=classes)])
    assert absent.startswith('train: 38 of 50 classes are never positive: class 0, ')
    assert ': class 38 (1), class 39 (2), ' in rare and rare.endswith('class 49 (9).')
    (absent, *_) = find_warnings([make('train', 0 * scores, classes=classes)])
    assert absent.endswith('class 39 and 10 more.')


def test_overlap():
    train = make('train', GOOD)
    paths = ['test/0.jpg', './train/3.jpg', 'train/../train/10.jpg', 'train/1/2.jpg']
    test = make('test', GOOD[:4], paths=paths)
    shared = ['train/10.jpg', 'train/3.jpg']
    assert shared_images(train, test) == shared
    (overlap,) = find_warnings([train, test], few=1)
    assert overlap == (
        'train and test overlap: 2 of the 4 images of test are in train too: '
        'train/10.jpg, train/3.jpg.'
    )
    (overlap,) = find_warnings([train, make('val', GOOD, paths=train.paths)])
    assert 'overlap: all of the 12 images of val' in overlap
    assert overlap.endswith(' and 9 more.')


def test_poor_images():
    scores = GOOD.copy()
    scores[0] = -1
    scores[1] = 0
    paths = ['a', 'a', 'b', *map(str, range(9))]
    split = make('train', scores, GOOD, paths, contradictions=3)
    assert find_warnings([split], few=1) == [
        'train: 2 of 12 images without a known positive (0 before the label masking).',
        'train: of 1 images nothing at all is known.',
        'train: 1 images are listed more than once: a.',
        'train: 3 known labels are the opposite of what they were before the label '
        'masking.',
    ]


@pytest.mark.parametrize(
    'split, images, count', [('train', 5994, 22), ('val', 5794, 0)]
)
def test_cub(split, images, count):
    """22 of the 312 attributes are never positive in training."""
    dataset = MultiLabelListDataset(
        ann_file=str(shared_file(f'data/scpnet_lists/cub_{split}.txt')),
        classes=str(shared_file('data/scpnet_lists/cub_labels.txt')),
    )
    labels = read_split('cub', dataset)
    assert labels.observed.images == images
    text = f'cub: {count} of 312 classes are never positive'
    assert any(line.startswith(text) for line in find_warnings([labels])) == bool(count)
