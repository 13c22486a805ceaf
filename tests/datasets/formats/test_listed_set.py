"""Sets that come as list files."""

import pytest

from mmscpnet.datasets.formats.listed_set import ListedSet
from tests.shared import shared_file


def write(folder, train='a.jpg,0 2\nb.jpg,2\nc.jpg,1\n', test='d.jpg,1\ne.jpg,2\n'):
    (folder / 'classes.txt').write_text('x\ny\nz\n')
    (folder / 'train.txt').write_text(train)
    (folder / 'test.txt').write_text(test)
    return folder


def test_splits(tmp_path):
    source = ListedSet(write(tmp_path))
    assert source.classes == ['x', 'y', 'z']
    assert source.splits == {
        'train': [('a.jpg', [0, 2], ()), ('b.jpg', [2], ()), ('c.jpg', [1], ())],
        'test': [('d.jpg', [1], ()), ('e.jpg', [2], ())],
    }


def test_frequent_classes(tmp_path):
    source = ListedSet(write(tmp_path))
    source.keep_frequent(2)
    assert source.classes == ['z']
    assert source.splits == {
        'train': [('a.jpg', [0], ()), ('b.jpg', [0], ())],
        'test': [('e.jpg', [0], ())],
    }
    with pytest.raises(ValueError, match='no class has 9 positives'):
        source.keep_frequent(9)


@pytest.mark.parametrize(
    ('lists', 'message'),
    [
        ({'test': 'd.jpg,1\ne.jpg,3\n'}, r'test\.txt:2: label 3 is outside 0\.\.2'),
        ({'test': 'd.jpg,1 1\n'}, r'test\.txt:1: a label is given twice'),
        ({'test': 'b.jpg,1\n'}, r'test\.txt:1: b\.jpg is listed already in .*train'),
        ({'train': 'a.jpg 1\n'}, r'train\.txt:1: expected "image,labels"'),
    ],
)
def test_malformed(tmp_path, lists, message):
    with pytest.raises(ValueError, match=message):
        ListedSet(write(tmp_path, **lists))


def test_the_74_words_of_corel5k_are_those_with_50_photos():
    folder = shared_file('data/corel5k')
    source = ListedSet(folder)
    source.keep_frequent(50)
    assert source.classes == (folder / 'classes_74.txt').read_text().split('\n')[:74]
    for split, records in source.splits.items():
        lines = [f'{r.img_path},{" ".join(map(str, r.positives))}' for r in records]
        assert lines == (folder / f'{split}_74.txt').read_text().splitlines()
