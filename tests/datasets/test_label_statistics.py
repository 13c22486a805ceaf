"""Counts of labels, against loops."""

from collections import Counter

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset
from mmpretrain.datasets import KFoldDataset, MultiLabelDataset

from mmscpnet.datasets import ConcatDataset, IncompleteMultiLabelDataset
from mmscpnet.datasets.formats import AnnotationWriter
from mmscpnet.datasets.label_statistics import LabelStatistics, read_split

CLASSES = ['cat', 'dog', 'sea', 'sky']


def counted(scores, sizes):
    statistics = LabelStatistics(scores.shape[1])
    for block in np.split(scores, np.cumsum(sizes)[:-1]):
        statistics.add(block)
    return statistics


@pytest.mark.parametrize('classes', [1, 20, 312])
@pytest.mark.parametrize('sizes', [[40], [1, 0, 17, 22]])
def test_against_loops(classes, sizes):
    rng = np.random.default_rng(classes)
    scores = rng.choice([-1, 0, 1], (40, classes), p=[0.5, 0.3, 0.2]).astype(np.int8)
    scores[3] = -1
    scores[4] = 0
    found = counted(scores, sizes)
    rows = scores.tolist()
    assert found.images == 40
    for label in range(classes):
        states = Counter(row[label] for row in rows)
        assert found.positives[label] == states[1]
        assert found.negatives[label] == states[0]
        assert found.unknowns[label] == states[-1]
    present = [{i for i, v in enumerate(row) if v == 1} for row in rows]
    numbers = Counter(map(len, present))
    assert {n: c for n, c in enumerate(found.cardinality) if c} == dict(numbers)
    assert found.without_positive == numbers[0] >= 2
    assert found.without_label == sum(set(row) == {-1} for row in rows) >= 1
    assert found.mean_cardinality == pytest.approx(sum(map(len, present)) / 40)
    together = Counter((a, b) for labels in present for a in labels for b in labels)
    matrix = found.cooccurrence.toarray()
    assert {(a, b): matrix[a, b] for a, b in np.argwhere(matrix)} == dict(together)
    pairs = sorted((-n, a, b) for (a, b), n in together.items() if a < b)
    assert found.strongest_pairs(5) == [(-n, a, b) for n, a, b in pairs[:5]]


def test_nothing_added():
    empty = LabelStatistics(3)
    assert empty.images == empty.mean_cardinality == 0
    assert empty.strongest_pairs(4) == []


@pytest.mark.parametrize(
    'scores, message',
    [
        (np.array([[1, 2]]), 'a label is not 1'),
        (np.zeros((2, 3)), r'shape \(2, 3\), expected \(n, 2\)'),
        (np.zeros(2), 'expected'),
    ],
)
def test_bad_labels(scores, message):
    with pytest.raises(ValueError, match=message):
        LabelStatistics(2).add(scores)


@pytest.fixture
def make(tmp_path):
    """Build a dataset of ten images with some labels known."""

    def build(name='a', pipeline=(), unlisted='negative'):
        path = tmp_path / f'{name}.json'
        with AnnotationWriter(path, CLASSES, unlisted, overwrite=True) as writer:
            for i in range(10):
                writer.add(f'{name}{i}.jpg', [i % 3, 3] if i else [])
        return IncompleteMultiLabelDataset(ann_file=str(path), pipeline=list(pipeline))

    return build


def test_split(make):
    seen = []
    split = read_split('train', make(unlisted='unknown'), seen.append)
    assert seen == [10] and split.paths == [f'a{i}.jpg' for i in range(10)]
    assert (split.name, split.classes, split.samples) == ('train', CLASSES, 10)
    assert split.observed.positives.tolist() == [3, 3, 3, 9]
    assert split.observed.negatives.tolist() == [0, 0, 0, 0]
    assert split.full is None and split.truth is split.observed
    assert split.contradictions == 0 and split.hidden_positives is None


def test_masked_split(make):
    masked = make('b', [dict(type='mmscpnet.SinglePositiveLabel')])
    split = read_split('train', ConcatDataset([make(), masked]))
    # Only the second part hides anything.
    assert split.observed.images == split.full.images == 20
    assert split.full.positives.tolist() == [6, 6, 6, 18]
    assert split.observed.positives.sum() == 18 + 9
    assert split.observed.negatives.sum() == 40 - 18
    hidden = split.full.positives - split.observed.positives
    assert split.hidden_positives.tolist() == hidden.tolist()
    assert split.contradictions == 0


def test_wrong_labels_are_counted(make):
    dataset = make(pipeline=[dict(type='mmscpnet.PartialLabel', ratio=1.0)])
    transform = dataset.pipeline.transforms[0]

    def turn_cats(score, results):
        score = score.copy()
        score[0] = 1 - score[0]
        return score

    transform.mask = turn_cats
    assert read_split('train', dataset).contradictions == 10


def test_fold(make):
    part = dict(type='mmscpnet.IncompleteMultiLabelDataset', ann_file=make().ann_file)
    fold = KFoldDataset(part, fold=0, num_splits=5, test_mode=False)
    split = read_split('train', fold)
    assert split.samples == 8
    assert split.paths == [f'a{i}.jpg' for i in range(2, 10)]
    assert split.observed.positives.tolist() == [3, 2, 3, 8]


def test_a_repeated_image_counts_once(make):
    split = read_split('train', RepeatDataset(make(), times=3))
    assert split.samples == 30 and len(split.paths) == 10
    assert split.observed.positives.tolist() == [3, 3, 3, 9]


def test_foreign_dataset(make, tmp_path):
    make()
    foreign = MultiLabelDataset(ann_file=str(tmp_path / 'a.json'))
    with pytest.raises(ValueError, match='val: MultiLabelDataset is not a dataset of'):
        read_split('val', foreign)
