"""The streaming writer of annotation files."""

import json

import numpy as np
import pytest

from mmscpnet.datasets import IncompleteMultiLabelDataset
from mmscpnet.datasets.formats import AnnotationWriter
from mmscpnet.datasets.formats import writer as writer_module

CLASSES = ['cat', 'dog', 'größer "x"']


def test_rows_are_read_back_by_the_dataset(tmp_path):
    path = tmp_path / 'new' / 'train.json'
    with AnnotationWriter(path, CLASSES, 'unknown', {'source': 'x'}) as writer:
        writer.add('b.jpg', [2, 0], [1])
        writer.add('ä "b".jpg', np.array([1]), np.array([], dtype=int))
        writer.add('none.jpg', [])
    content = json.loads(path.read_text(encoding='utf-8'))
    assert content['metainfo'] == {
        'source': 'x',
        'classes': CLASSES,
        'unlisted': 'unknown',
    }
    assert content['data_list'] == [
        {'img_path': 'b.jpg', 'gt_label': [0, 2], 'negative_label': [1]},
        {'img_path': 'ä "b".jpg', 'gt_label': [1]},
        {'img_path': 'none.jpg', 'gt_label': []},
    ]
    dataset = IncompleteMultiLabelDataset(ann_file=str(path), pipeline=[])
    assert dataset.get_targets().tolist() == [[1, 0, 1], [-1, 1, -1], [-1, -1, -1]]


@pytest.mark.parametrize('unlisted', ['negative', 'unknown'])
@pytest.mark.parametrize('every', [1, 7, 1 << 13])
def test_statistics_against_the_label_matrix(tmp_path, monkeypatch, unlisted, every):
    monkeypatch.setattr(writer_module, '_COUNT_EVERY', every)
    full = np.random.default_rng(0).integers(-1, 2, (50, 3))
    if unlisted == 'negative':
        full[full == -1] = 0
    with AnnotationWriter(tmp_path / 'a.json', CLASSES, unlisted) as writer:
        for i, row in enumerate(full):
            negatives = np.flatnonzero(row == 0) if unlisted == 'unknown' else ()
            writer.add(f'{i}.jpg', np.flatnonzero(row == 1), negatives)
        # Asking before the end changes nothing.
        assert writer.statistics['images'] == 50
    found = writer.statistics
    names = dict(positives=1, negatives=0, unknowns=-1)
    for name, value in names.items():
        assert found[name] == (full == value).sum()
        for column, label in enumerate(CLASSES):
            assert found['per_class'][label][name] == (full[:, column] == value).sum()
    assert found['labels'] == 3
    assert found['label_cardinality'] == pytest.approx((full == 1).sum(1).mean())
    assert found['images_without_positive'] == (~(full == 1).any(1)).sum()
    assert (found['images_without_positive'] > 0) and found['positives'] > 0


def test_an_empty_file_has_statistics(tmp_path):
    with AnnotationWriter(tmp_path / 'a.json', CLASSES) as writer:
        pass
    assert writer.statistics['label_cardinality'] == 0
    assert json.loads((tmp_path / 'a.json').read_text())['data_list'] == []


@pytest.mark.parametrize(
    ('positives', 'negatives', 'message'),
    [
        ([3], [], r'label 3 is outside 0\.\.2, there are 3 classes'),
        ([0], [-1], r'negative label -1 is outside'),
        ([1, 0, 1], [], r"label 1 \('dog'\) is given twice"),
        ([0, 1], [1], r"label 1 \('dog'\) is both positive and negative"),
    ],
)
def test_labels_are_checked(tmp_path, positives, negatives, message):
    path = tmp_path / 'a.json'
    with (
        pytest.raises(ValueError, match=rf'a\.json, image bad\.jpg: .*{message}'),
        AnnotationWriter(path, CLASSES, 'unknown') as writer,
    ):
        writer.add('bad.jpg', positives, negatives)
    assert list(tmp_path.iterdir()) == []


def test_existing_file_is_kept_unless_overwritten(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('mine')
    with pytest.raises(ValueError, match='exists'):
        AnnotationWriter(path, CLASSES)
    with (
        pytest.raises(KeyboardInterrupt),
        AnnotationWriter(path, CLASSES, overwrite=True) as writer,
    ):
        writer.add('a.jpg', [0])
        raise KeyboardInterrupt
    assert path.read_text() == 'mine'
    assert list(tmp_path.iterdir()) == [path]
    with AnnotationWriter(path, CLASSES, overwrite=True) as writer:
        writer.add('a.jpg', [0])
    assert json.loads(path.read_text())['data_list'][0]['gt_label'] == [0]


def test_wrong_use(tmp_path):
    with pytest.raises(ValueError, match="'negative' or 'unknown'"):
        AnnotationWriter(tmp_path / 'a.json', CLASSES, 'absent')
    with pytest.raises(ValueError, match="class name 'a' stands at indices"):
        AnnotationWriter(tmp_path / 'a.json', ['a', 'a'])
    with pytest.raises(ValueError, match='inside "with'):
        AnnotationWriter(tmp_path / 'a.json', CLASSES).add('a.jpg', [])
