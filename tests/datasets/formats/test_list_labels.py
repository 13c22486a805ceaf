"""List files of users."""

import pytest

from mmscpnet.datasets.formats.list_labels import read_list


def test_indices_and_names(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('a,b.jpg,3 17\n\nc.jpg, \n')
    assert list(read_list(path)) == [
        (f'{path}:1', 'a,b.jpg', [3, 17], ()),
        (f'{path}:3', 'c.jpg', [], ()),
    ]
    path.write_text('a.jpg,cat dog\nc.jpg,cat\n')
    rows = [row[1:3] for row in read_list(path, names=True)]
    assert rows == [('a.jpg', ['cat', 'dog']), ('c.jpg', ['cat'])]
    path.write_text('a.jpg,big cat;dog, wild\n')
    rows = [row[2] for row in read_list(path, names=True, separator=';')]
    assert rows == [['big cat', 'dog, wild']]


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('a.jpg 3', r'a\.txt:2: expected "image,labels"'),
        (',3', r'a\.txt:2: expected "image,labels"'),
        (
            'a.jpg,cat',
            r"a\.txt:2: labels are 0-based .*found 'cat'; --names reads names",
        ),
    ],
)
def test_malformed(tmp_path, line, message):
    (tmp_path / 'a.txt').write_text(f'x.jpg,1\n{line}\n')
    with pytest.raises(ValueError, match=message):
        list(read_list(tmp_path / 'a.txt'))


def test_encodings(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_bytes('ö.jpg,1\r\n'.encode('utf-8-sig'))
    assert list(read_list(path)) == [(f'{path}:1', 'ö.jpg', [1], ())]
    path.write_bytes(b'a.jpg,1\n' * 2000 + 'ö.jpg,1\n'.encode('latin-1'))
    with pytest.raises(ValueError, match=r'a\.txt, after line \d+: not UTF-8'):
        list(read_list(path))
