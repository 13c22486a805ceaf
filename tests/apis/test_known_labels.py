"""Labels of an annotation file for photos that lie anywhere."""

import json

import numpy as np
import pytest

from mmscpnet.apis.known_labels import KnownLabels

CLASSES = ['cat', 'dog', 'sea']


@pytest.fixture
def file(tmp_path):
    entries = [
        dict(img_path='1.jpg', gt_label=[0], negative_label=[2]),
        dict(img_path='a/1.jpg', gt_label=[1]),
        dict(img_path='b\\2.jpg', gt_label=[2], provenance={'2': 'proposed'}),
    ]
    content = dict(
        metainfo=dict(classes=CLASSES, unlisted='unknown'), data_list=entries
    )
    path = tmp_path / 'labels.json'
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    'photo, expected',
    [
        ('/photos/1.jpg', [1, -1, 0]),
        ('1.jpg', [1, -1, 0]),
        ('/photos/a/1.jpg', [-1, 1, -1]),
        # Proposed by a model is not known.
        ('s3://bucket/b/2.jpg', [-1, -1, -1]),
        ('/photos/2.jpg', None),
        ('/photos/11.jpg', None),
        (None, None),
    ],
)
def test_by_the_longest_end_of_the_path(file, photo, expected):
    found = KnownLabels(file).find(photo, CLASSES)
    assert expected is None if found is None else found.tolist() == expected


def test_from_within_the_folder(file, tmp_path, monkeypatch):
    (tmp_path / 'a').mkdir()
    monkeypatch.chdir(tmp_path / 'a')
    assert KnownLabels(file).find('1.jpg', CLASSES).tolist() == [-1, 1, -1]


def test_order_and_names_of_the_model(file):
    known = KnownLabels(file)
    found = known.find('/x/1.jpg', ['sea', 'sky', 'cat'])
    assert found.dtype == np.int8 and found.tolist() == [0, -1, 1]
    known.check_classes(['sky', 'sea'])
    with pytest.raises(ValueError, match='knows other labels than the model: cat, dog'):
        known.check_classes(['sky', 'sun'])


def test_list_file(tmp_path):
    (tmp_path / 'list.txt').write_text('1.jpg,0 2\n')
    found = KnownLabels(tmp_path / 'list.txt', CLASSES).find('/x/1.jpg', CLASSES)
    assert found.tolist() == [1, 0, 1]
    with pytest.raises(FileNotFoundError, match='none.json'):
        KnownLabels(tmp_path / 'none.json')
