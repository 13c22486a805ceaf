"""CUB-200-2011's attribute files."""

import numpy as np
import pytest

from mmscpnet.datasets.formats.cub_attributes import read_cub

ROWS = """\
1 1 0 3 27.7080
1 2 1 1 27.7080
2 1 1 4 0 1.509
2 2 0 2 5.0
"""


@pytest.fixture
def root(tmp_path):
    root = tmp_path / 'CUB_200_2011'
    (root / 'attributes').mkdir(parents=True)
    (tmp_path / 'attributes.txt').write_text(
        '1 has_bill_shape::curved_(up_or_down)\n2 has_bill_shape::dagger\n'
    )
    (root / 'images.txt').write_text('1 001.A/a_1.jpg\n2 002.B/b 2.jpg\n')
    (root / 'train_test_split.txt').write_text('1 0\n2 1\n')
    (root / 'attributes' / 'image_attribute_labels.txt').write_text(ROWS)
    return root


def test_whole_set(root):
    cub = read_cub(root)
    assert cub.names[0] == 'has_bill_shape::curved_(up_or_down)'
    assert cub.images == ['001.A/a_1.jpg', '002.B/b 2.jpg']
    assert cub.is_train.tolist() == [False, True]
    np.testing.assert_array_equal(cub.present, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(cub.certainty, [[3, 1], [4, 2]])
    assert len(cub.files) == 4 and all(path.is_file() for path in cub.files)


def test_attributes_file_may_be_inside(root):
    names = root.parent / 'attributes.txt'
    names.rename(root / 'attributes' / 'attributes.txt')
    assert len(read_cub(root).names) == 2
    (root / 'attributes' / 'attributes.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'no attributes\.txt'):
        read_cub(root)


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ('1 1 0 3 1\n1 x 0 3 1\n', r'labels\.txt:2: expected "image attribute'),
        ('1 1\n', r'labels\.txt:1: expected "image attribute'),
        ('3 1 0 3 1\n', r'labels\.txt:1: image 3 or attribute 1 is outside'),
        ('1 1 2 3 1\n', r'labels\.txt:1: present must be 0 or 1'),
        ('1 1 0 9 1\n', r'labels\.txt:1: .*certainty'),
        (ROWS[:16], '3 values are missing, the first is attribute 2 of image 1'),
    ],
)
def test_malformed_labels(root, rows, message):
    (root / 'attributes' / 'image_attribute_labels.txt').write_text(rows)
    with pytest.raises(ValueError, match=message):
        read_cub(root)


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('images.txt', '1 a.jpg\n3 b.jpg\n', r"images\.txt:2: expected number 2.*'3'"),
        ('images.txt', '1\n', r'images\.txt:1: expected 2 fields'),
        ('train_test_split.txt', '1 0\n', 'has 1 lines, images.txt 2'),
        ('train_test_split.txt', '1 0\n2 5\n', r'split\.txt:2: expected 0 or 1'),
    ],
)
def test_malformed_lists(root, name, text, message):
    (root / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_cub(root)
