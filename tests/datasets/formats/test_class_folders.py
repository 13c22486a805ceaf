"""A folder per class."""

import pytest

from mmscpnet.datasets.formats.class_folders import read_class_folders


@pytest.fixture
def root(tmp_path):
    files = {
        'dog/a.jpg': b'a',
        'cat/a.jpg': b'a',
        'cat/sub/b.png': b'b',
        'cat/notes.txt': b'',
        '.hidden/c.jpg': b'c',
        'dog/copy of b.png': b'b',
        'dog/b2.png': b'b',
        'sea/.keep': b'',
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / 'loose.jpg').touch()
    return tmp_path


def labels(found):
    return {row.image: row.positives for row in found.rows}


def test_by_name(root):
    found = read_class_folders(root)
    assert found.classes == ['cat', 'dog', 'sea']
    assert labels(found) == {
        'cat/a.jpg': ['cat', 'dog'],
        'cat/sub/b.png': ['cat'],
        'dog/b2.png': ['dog'],
        'dog/copy of b.png': ['dog'],
    }


def test_by_content(root):
    found = read_class_folders(root, same='content')
    assert labels(found) == {
        'cat/a.jpg': ['cat', 'dog'],
        'cat/sub/b.png': ['cat', 'dog'],
    }


def test_another_photo_of_the_same_name(root):
    (root / 'dog' / 'a.jpg').write_bytes(b'x')
    with pytest.raises(ValueError, match=r'dog/a\.jpg has the name of .*cat/a\.jpg'):
        read_class_folders(root)
    assert len(read_class_folders(root, same='content').rows) == 3


def test_nothing_there(root):
    with pytest.raises(FileNotFoundError, match='there is no photo in a folder of'):
        read_class_folders(root / 'cat' / 'sub')
    with pytest.raises(FileNotFoundError, match='there is no folder at'):
        read_class_folders(root / 'none')
