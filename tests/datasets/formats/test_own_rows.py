"""Rows of users' files on their way to records."""

import pytest

from mmscpnet.datasets.formats.own_rows import SourceRow, names_in, resolve_rows

CLASSES = ['cat', 'dog', 'sea']


def rows(*items):
    return [SourceRow(f'f:{i}', *item) for i, item in enumerate(items, start=1)]


def test_names_and_indices():
    found = resolve_rows(
        rows(('b.jpg', ['sea', 'cat'], ['dog']), ('a', [1, 1])), CLASSES
    )
    assert found == [
        ('f:1', ('b.jpg', [0, 2], [1])),
        ('f:2', ('a', [1], [])),
    ]


def test_duplicates():
    twice = rows(('a', ['cat']), ('b', ['dog']), ('a', ['sea'], ['dog']))
    with pytest.raises(ValueError, match='f:3: a occurs already in f:1'):
        resolve_rows(twice, CLASSES)
    found = resolve_rows(twice, CLASSES, duplicates='merge')
    assert found == [('f:1', ('a', [0, 2], [1])), ('f:2', ('b', [1], []))]
    # Where one row says what the other denies, merging is no answer.
    contradiction = rows(('a', ['cat']), ('a', [], ['cat']))
    with pytest.raises(ValueError, match="f:2: a: 'cat' is both positive and negative"):
        resolve_rows(contradiction, CLASSES, duplicates='merge')


def test_empty_rows():
    some = rows(('a', ['cat']), ('b', []), ('c', [], ['dog']))
    with pytest.raises(ValueError, match='f:2: b has no label; --empty keep'):
        resolve_rows(some, CLASSES)
    names = {
        empty: [own.record.img_path for own in resolve_rows(some, CLASSES, empty)]
        for empty in ('keep', 'drop')
    }
    assert names == dict(keep=['a', 'b', 'c'], drop=['a', 'c'])


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        (('a', ['cow']), "f:1: 'cow' is not among the 3 classes"),
        (('a', [3]), r'f:1: label 3 is outside 0\.\.2, there are 3 classes'),
        (('a', [-1]), 'f:1: label -1 is outside'),
        (('', ['cat']), 'f:1: there is no file name'),
        (('a', ['cat'], ['cat']), 'both positive and negative'),
    ],
)
def test_wrong_rows(row, message):
    with pytest.raises(ValueError, match=message):
        resolve_rows(rows(row), CLASSES)


def test_names_from_the_data():
    assert names_in(rows(('a', ['sea'], ['dog']), ('b', ['cat']))) == CLASSES
    with pytest.raises(ValueError, match='f:1: label 3 is an index; give --classes'):
        names_in(rows(('a', [3])))
    with pytest.raises(ValueError, match='no image has a label'):
        names_in(rows(('a', [])))
