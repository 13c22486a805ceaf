"""NUS-WIDE's ground truth and the subsets in use."""

import numpy as np
import pytest

from mmscpnet.datasets.class_sets import NUS81
from mmscpnet.datasets.formats.nus_crawls import (
    read_formatted,
    read_listed,
    read_official,
)
from mmscpnet.datasets.formats.nus_wide import (
    flickr_id,
    read_concepts,
    read_ground_truth,
    read_image_list,
)

CONCEPTS = ['airport', 'animal']
LABELS = np.array([[1, 0], [0, 1], [1, 1]], dtype=bool)


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'ImageList').mkdir()
    names = ['actor\\0001_211.jpg', 'actor\\0002_322.jpg', 'zoo\\0003_433.jpg']
    for listing in ('Imagelist', 'TrainImagelist'):
        (tmp_path / 'ImageList' / f'{listing}.txt').write_text('\r\n'.join(names))
    for folder, ending in (('AllLabels', ''), ('TrainTestLabels', '_Train')):
        path = tmp_path / 'Groundtruth' / folder
        path.mkdir(parents=True)
        for column, concept in enumerate(CONCEPTS):
            text = ''.join(f'{int(value)}\n' for value in LABELS[:, column])
            (path / f'Labels_{concept}{ending}.txt').write_text(text)
    return tmp_path


def test_official(root):
    source = read_official(root, CONCEPTS, 'Train')
    assert [tuple(record) for record in source.records()] == [
        ('actor/0001_211.jpg', [0], ()),
        ('actor/0002_322.jpg', [1], ()),
        ('zoo/0003_433.jpg', [0, 1], ()),
    ]
    assert len(source.files) == 3 and all(path.is_file() for path in source.files)
    (root / 'ImageList' / 'TrainImagelist.txt').write_text('actor\\0001_211.jpg\n')
    with pytest.raises(ValueError, match='lists 1 photos, but the labels .* of 3'):
        read_official(root, CONCEPTS, 'Train')


def test_listed_names_take_the_ground_truth_by_flickr_number(root):
    listing = root / 'mine.txt'
    listing.write_text('7_433_0a_m.jpg\n\n9_211_1b_m.jpg\n')
    source = read_listed(root, CONCEPTS, listing)
    assert list(source.images) == ['7_433_0a_m.jpg', '9_211_1b_m.jpg']
    np.testing.assert_array_equal(source.labels, LABELS[[2, 0]])
    listing.write_text('7_433_0a_m.jpg\n9_999_1b_m.jpg\n')
    with pytest.raises(ValueError, match=r"mine\.txt:2: '9_999_1b_m.jpg' is not"):
        read_listed(root, CONCEPTS, listing)
    listing.write_text('7_433_0a_m.jpg\n7_433_0a_m.jpg\n')
    with pytest.raises(ValueError, match='lists a photo twice'):
        read_listed(root, CONCEPTS, listing)


def test_listed_labels_need_nothing_else(tmp_path):
    listing = tmp_path / 'mine.txt'
    listing.write_text('b.jpg,1\na.jpg, 0 1\nc.jpg,\n')
    source = read_listed(tmp_path, CONCEPTS, listing)
    assert [record.positives for record in source.records()] == [[1], [0, 1], []]
    assert source.files == [listing]
    listing.write_text('b.jpg,1\na.jpg,2\n')
    with pytest.raises(ValueError, match=r'mine\.txt:2: a label is outside 0\.\.1'):
        read_listed(tmp_path, CONCEPTS, listing)


def test_formatted(tmp_path):
    np.save(tmp_path / 'formatted_val_images.npy', np.array(['a.jpg', 'b.jpg', 'c']))
    np.save(tmp_path / 'formatted_val_labels.npy', LABELS.astype(float))
    source = read_formatted(tmp_path, 2, 'val')
    assert [tuple(r) for r in source.records()][1] == ('b.jpg', [1], ())
    with pytest.raises(ValueError, match=r'expected shape \(N, 81\), found \(3, 2\)'):
        read_formatted(tmp_path, 81, 'val')
    np.save(tmp_path / 'formatted_val_labels.npy', LABELS * 2)
    with pytest.raises(ValueError, match='zeros and ones'):
        read_formatted(tmp_path, 2, 'val')
    np.save(tmp_path / 'formatted_val_labels.npy', LABELS)
    np.save(tmp_path / 'formatted_val_images.npy', np.arange(3))
    with pytest.raises(ValueError, match='an array of names'):
        read_formatted(tmp_path, 2, 'val')
    with pytest.raises(FileNotFoundError, match='formatted_train_images'):
        read_formatted(tmp_path, 2, 'train')


@pytest.mark.parametrize('text', ['1\n2\n0\n', '1\n\n0\n', '1\n10\n', '1\nx\n'])
def test_malformed_ground_truth(root, text):
    path = root / 'Groundtruth' / 'AllLabels' / 'Labels_animal.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'Labels_animal\.txt:2: expected 0 or 1'):
        read_ground_truth(root, CONCEPTS)


def test_ground_truth_of_other_lengths_or_missing(root):
    path = root / 'Groundtruth' / 'AllLabels' / 'Labels_animal.txt'
    # No line end at the end, and Windows line ends, are fine.
    path.write_bytes(b'0\r\n1\r\n1')
    np.testing.assert_array_equal(read_ground_truth(root, CONCEPTS), LABELS)
    path.write_text('1\n0\n')
    with pytest.raises(ValueError, match='has 2 lines, the concepts before it have 3'):
        read_ground_truth(root, CONCEPTS)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'Labels_animal\.txt'):
        read_ground_truth(root, CONCEPTS)


def test_concepts_and_names(root):
    assert read_concepts(root) == list(NUS81)
    (root / 'ConceptsList').mkdir()
    (root / 'ConceptsList' / 'Concepts81.txt').write_text('airport\nanimal\n')
    assert read_concepts(root) == CONCEPTS
    names = read_image_list(root / 'ImageList' / 'Imagelist.txt')
    assert [flickr_id(name) for name in names] == ['211', '322', '433']
    assert flickr_id('123940_1158315062_02a15f03aa_m.jpg') == '1158315062'
    with pytest.raises(ValueError, match='not named like a photo'):
        flickr_id('photo.jpg')
