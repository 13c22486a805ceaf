"""YOLO's text files."""

import pytest

from mmscpnet.datasets.formats.yolo_txt import read_yolo_folder


@pytest.fixture
def folders(tmp_path):
    labels, images = tmp_path / 'labels', tmp_path / 'images'
    for folder in (labels / 'sub', images / 'sub'):
        folder.mkdir(parents=True)
    (labels / 'classes.txt').write_text('cat\n')
    (labels / 'b.txt').write_text('2 0.5 0.5 0.1 0.1\n0 0.5 0.5 1 1 0.9\n2 0 0 1 1\n')
    (labels / 'sub' / 'a.v1.txt').write_text('')
    for name in ('b.PNG', 'sub/a.v1.jpg', 'unlabelled.jpg'):
        (images / name).touch()
    return labels, images


def test_objects_become_labels(folders):
    labels, images = folders
    assert list(read_yolo_folder(labels, images)) == [
        (f'{labels}/b.txt', 'b.PNG', [0, 2], ()),
        (f'{labels}/sub/a.v1.txt', 'sub/a.v1.jpg', [], ()),
    ]


@pytest.mark.parametrize(
    'line', ['cat 0 0 1 1', '1 0 0 1', '-1 0 0 1 1', '1.0 0 0 1 1']
)
def test_malformed(folders, line):
    labels, images = folders
    (labels / 'b.txt').write_text(f'0 0 0 1 1\n{line}\n')
    with pytest.raises(
        ValueError, match=r'b\.txt:2: expected "class x y width height"'
    ):
        list(read_yolo_folder(labels, images))


def test_index_out_of_range(folders):
    labels, images = folders
    (labels / 'b.txt').write_text('0 0 0 1 1\n2 0 0 1 1\n')
    assert [row.positives for row in read_yolo_folder(labels, images, 3)][0] == [0, 2]
    with pytest.raises(ValueError, match=r'b\.txt:2: label 2 is outside 0\.\.1'):
        list(read_yolo_folder(labels, images, 2))


def test_photos_that_do_not_fit(folders):
    labels, images = folders
    (images / 'b.jpg').touch()
    with pytest.raises(ValueError, match=r'b\.PNG and b\.jpg have the same name'):
        list(read_yolo_folder(labels, images))
    for name in ('b.jpg', 'b.PNG'):
        (images / name).unlink()
    with pytest.raises(FileNotFoundError, match=r'b\.txt: there is no photo b\.\* in'):
        list(read_yolo_folder(labels, images))
    with pytest.raises(FileNotFoundError, match='there is no folder at'):
        list(read_yolo_folder(labels / 'none', images))
    with pytest.raises(FileNotFoundError, match='there is no text file in'):
        list(read_yolo_folder(images, images))
