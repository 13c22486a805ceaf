"""Where labels come from, read and written."""

import json

import numpy as np
import pytest

from mmscpnet.datasets import IncompleteMultiLabelDataset
from mmscpnet.datasets.formats import AnnotationWriter
from mmscpnet.datasets.formats.provenance import read_traced_labels

CLASSES = ['a', 'b, c', '</script>', '猫']


def write(path, rows, **metainfo):
    content = dict(metainfo=dict(classes=CLASSES, **metainfo), data_list=rows)
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


@pytest.fixture
def file(tmp_path):
    rows = [
        dict(img_path='d\\1 .jpg', gt_label=[2, 0], negative_label=[1], note='hi'),
        dict(
            img_path='2.jpg',
            gt_label=[0, 1],
            negative_label=[2, 3],
            provenance={'0': 'accepted', '1': 'proposed', '2': 'proposed'},
            confidence={'1': 0.9},
        ),
        dict(img_path='/x/3.jpg', gt_label=[]),
    ]
    return write(tmp_path / 'a.json', rows, unlisted='unknown', origin='here')


def test_states_and_sources(file):
    labels = read_traced_labels(file)
    assert labels.classes == CLASSES and labels.unlisted == 'unknown'
    assert labels.images == ['d\\1 .jpg', '2.jpg', '/x/3.jpg']
    # What was only proposed is unknown again.
    want = [[1, 0, 1, -1], [1, -1, -1, 0], [-1, -1, -1, -1]]
    assert labels.states.tolist() == want and labels.states.dtype == np.int8
    assert labels.provenance == [{}, {0: 'accepted'}, {}]
    assert labels.extra == [{'note': 'hi'}, {}, {}]
    assert labels.metainfo == {'origin': 'here'}


def test_written_and_read_again(file, tmp_path):
    labels = read_traced_labels(file)
    out = tmp_path / 'b.json'
    row = np.array([1, 0, 1, 1])
    with AnnotationWriter(out, CLASSES, labels.unlisted, labels.metainfo) as writer:
        writer.add(*labels.record(0, row, {3: 'proposed'}, {3: 0.75}))
        writer.add(*labels.record(1, labels.states[1], labels.provenance[1]))
    first, second = json.loads(out.read_text(encoding='utf-8'))['data_list']
    assert first == dict(
        img_path='d\\1 .jpg',
        gt_label=[0, 2, 3],
        negative_label=[1],
        note='hi',
        provenance={'0': 'known', '1': 'known', '2': 'known', '3': 'proposed'},
        confidence={'3': 0.75},
    )
    assert second['provenance'] == {'0': 'accepted', '3': 'known'}
    again = read_traced_labels(out)
    assert again.states.tolist() == [[1, 0, 1, -1], [1, -1, -1, 0]]
    dataset = IncompleteMultiLabelDataset(ann_file=str(out), pipeline=[])
    assert dataset.get_targets().tolist() == [[1, 0, 1, 1], [1, -1, -1, 0]]


def test_lists_and_what_they_do_not_say(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('x, y.jpg,0 3\nz.jpg,\n')
    labels = read_traced_labels(path, CLASSES, 'unknown')
    assert labels.images == ['x, y.jpg', 'z.jpg']
    assert labels.states.tolist() == [[1, -1, -1, 1], [-1] * 4]
    labels = read_traced_labels(path, CLASSES)
    assert labels.unlisted == 'negative' and labels.states[1].tolist() == [0] * 4
    # Where what is not listed is negative, only what a review says is listed.
    record = labels.record(0, np.array([1, 0, 0, 1]), {1: 'rejected'})
    assert record.negatives == [1]
    assert record.extra['provenance'] == {'0': 'known', '1': 'rejected', '3': 'known'}


@pytest.mark.parametrize(
    'text, message',
    [
        ('[1]', 'is no annotation file'),
        ('{"data_list": []', 'a.json:1: not JSON'),
        ('{"metainfo": {"classes": ["a"]}, "data_list": []}', 'lists no image'),
        ('\xff', 'not UTF-8'),
    ],
)
def test_wrong_files(tmp_path, text, message):
    path = tmp_path / 'a.json'
    path.write_bytes(text.encode('latin-1'))
    with pytest.raises(ValueError, match=message):
        read_traced_labels(path)


@pytest.mark.parametrize(
    'provenance', [{'9': 'known'}, {'x': 'known'}, {'0': 'guess'}, ['known']]
)
def test_wrong_provenance(tmp_path, provenance):
    rows = [dict(img_path='a.jpg', gt_label=[0], provenance=provenance)]
    with pytest.raises(ValueError, match=r'data_list\[0\]: provenance gives'):
        read_traced_labels(write(tmp_path / 'a.json', rows))


def test_no_file_and_csv(tmp_path):
    with pytest.raises(FileNotFoundError, match='no annotation file'):
        read_traced_labels(tmp_path / 'a.json')
    (tmp_path / 'a.csv').write_text('image,cat\n')
    with pytest.raises(ValueError, match='from_files.py csv'):
        read_traced_labels(tmp_path / 'a.csv')
