"""What masking hid, by the lasting number of an image."""

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset
from mmengine.registry import init_default_scope
from mmpretrain.datasets import KFoldDataset

from mmscpnet.datasets import ConcatDataset, MultiLabelListDataset
from mmscpnet.datasets.hidden_labels import HiddenLabels

SINGLE = dict(type='SinglePositiveLabel', seed=3)
COUNT, SIZE = 13, 11


@pytest.fixture
def make(tmp_path):
    """Datasets of photos that do not exist, and their labels."""
    init_default_scope('mmscpnet')

    def build(*pipeline, seed=0, **kwargs):
        full = np.random.default_rng(seed).random((COUNT, SIZE)) < 0.4
        lines = [
            f'{i}.jpg,{" ".join(map(str, row.nonzero()[0]))}'
            for i, row in enumerate(full)
        ]
        file = tmp_path / f'list{seed}.txt'
        file.write_text('\n'.join(lines) + '\n')
        classes = [f'label {i}' for i in range(SIZE)]
        dataset = MultiLabelListDataset(
            ann_file=str(file), classes=classes, pipeline=list(pipeline), **kwargs
        )
        return dataset, full.astype(int)

    return build


@pytest.mark.parametrize(
    'masking',
    [
        SINGLE,
        dict(type='PartialLabel', ratio=0.3),
        dict(type='LabelProtocol', protocol='partial-sarb', ratio=0.3),
    ],
)
def test_labels_before_masking(make, masking):
    dataset, full = make(dict(type='LoadImageFromFile'), masking)
    hidden = HiddenLabels(dataset)
    order = [4, 0, 12, 4]
    np.testing.assert_array_equal(hidden(order), full[order])
    from mmscpnet.datasets.observed import observed_targets

    assert hidden.num_hidden == (observed_targets(dataset) == -1).sum() > 0


def test_wrappers(make):
    """Each image by the number that its data sample has."""
    (first, full), (second, other) = make(SINGLE), make(seed=1)
    config = dict(
        type='MultiLabelListDataset',
        ann_file=first.ann_file,
        classes=first.metainfo['classes'],
        pipeline=[SINGLE],
    )
    folds = KFoldDataset(config, fold=1, num_splits=3, test_mode=False)
    hidden = HiddenLabels(folds)
    numbers = [folds[i]['sample_idx'] for i in range(len(folds))]
    np.testing.assert_array_equal(hidden(numbers), full[numbers])
    both = ConcatDataset([first, second])
    found = HiddenLabels(both)(range(2 * COUNT))
    np.testing.assert_array_equal(found, np.concatenate([full, other]))
    repeated = HiddenLabels(RepeatDataset(first, 3))
    np.testing.assert_array_equal(repeated(range(COUNT)), full)


def test_indices_keep_the_numbers(make):
    dataset, full = make(SINGLE, indices=[2, 9])
    found = HiddenLabels(dataset)(range(COUNT))
    np.testing.assert_array_equal(found[[2, 9]], full[[2, 9]])
    assert (np.delete(found, [2, 9], axis=0) == -1).all()


def test_what_the_file_leaves_out_stays_unknown(make):
    dataset, full = make(SINGLE, unlisted='unknown')
    found = HiddenLabels(dataset)(range(COUNT))
    np.testing.assert_array_equal(found, np.where(full == 1, 1, -1))


def test_refused(make):
    with pytest.raises(ValueError, match='no transform of its pipeline masks any'):
        HiddenLabels(make()[0])
    with pytest.raises(ValueError, match='leaves every label that is known'):
        HiddenLabels(make(dict(type='PartialLabel', ratio=1.0))[0])
