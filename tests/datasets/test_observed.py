"""Labels as training sees them, without a look at the photos."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmscpnet.datasets import MultiLabelListDataset
from mmscpnet.datasets.observed import label_blocks, masks_labels, observed_targets

LABELS = ['0 2', '1', '', '0 1 2', '2', '1 2', '0']


@pytest.fixture
def make(tmp_path):
    """A dataset of photos that do not exist."""
    init_default_scope('mmscpnet')
    file = tmp_path / 'list.txt'
    file.write_text('\n'.join(f'{i}.jpg,{text}' for i, text in enumerate(LABELS)))

    def build(*pipeline):
        return MultiLabelListDataset(
            ann_file=str(file), classes=['a', 'b', 'c'], pipeline=list(pipeline)
        )

    return build


FULL = np.array(
    [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1], [1, 0, 0]]
)


@pytest.mark.parametrize('size, lengths', [(3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_blocks(make, size, lengths):
    dataset = make(
        dict(type='LoadImageFromFile'),
        dict(type='SinglePositiveLabel', seed=3),
    )
    assert masks_labels(dataset)
    blocks = list(label_blocks(dataset, size))
    assert [len(block.paths) for block in blocks] == lengths
    paths = sum((block.paths for block in blocks), [])
    assert paths == [f'{i}.jpg' for i in range(7)]
    observed = np.concatenate([block.observed for block in blocks])
    np.testing.assert_array_equal(observed, observed_targets(dataset))
    assert (observed == 1).sum(1).tolist() == [1, 1, 0, 1, 1, 1, 1]
    np.testing.assert_array_equal(np.concatenate([b.full for b in blocks]), FULL)


def test_without_masking(make):
    dataset = make()
    assert not masks_labels(dataset)
    (block,) = label_blocks(dataset)
    np.testing.assert_array_equal(block.observed, FULL)
    np.testing.assert_array_equal(block.full, FULL)
