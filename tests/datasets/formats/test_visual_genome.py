"""Visual Genome's raw annotations."""

import json
from collections import Counter

import pytest

from mmscpnet.datasets.formats.visual_genome import (
    most_frequent,
    read_image_paths,
    read_label_index,
    read_object_names,
    read_split_list,
)

URL = 'https://cs.stanford.edu/people/rak248'
IMAGES = [
    {'image_id': 1, 'width': 8, 'url': f'{URL}/VG_100K_2/1.jpg', 'coco_id': None},
    {'image_id': 20, 'width': 8, 'url': f'{URL}/VG_100K/20.jpg', 'coco_id': 3},
]
OBJECTS = [
    {
        'image_id': 1,
        'objects': [
            {'object_id': 5, 'names': ['Tree '], 'synsets': ['tree.n.01'], 'x': 1},
            {'object_id': 6, 'names': ['tree', 'oak'], 'synsets': [], 'x': 1},
        ],
        'image_url': IMAGES[0]['url'],
    },
    {'image_id': 20, 'objects': [{'names': ['man'], 'synsets': ['man.n.01']}]},
]
PATHS = {1: 'VG_100K_2/1.jpg', 20: 'VG_100K/20.jpg'}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_images_and_names(tmp_path):
    assert read_image_paths(write(tmp_path / 'image_data.json', IMAGES)) == PATHS
    path = write(tmp_path / 'objects.json', OBJECTS)
    names = read_object_names(path, PATHS)
    assert names == {1: Counter(tree=2, oak=1), 20: Counter(man=1)}
    synsets = read_object_names(path, PATHS, 'synsets')
    assert synsets == {1: Counter({'tree.n.01': 1}), 20: Counter({'man.n.01': 1})}
    with pytest.raises(ValueError, match='key must be one of'):
        read_object_names(path, PATHS, 'name')


def test_version_1_0_calls_the_image_id(tmp_path):
    def renamed(entries):
        text = json.dumps(entries).replace('"image_id"', '"id"')
        return json.loads(text)

    path = write(tmp_path / 'image_data.json', renamed(IMAGES))
    assert read_image_paths(path) == PATHS
    path = write(tmp_path / 'objects.json', renamed(OBJECTS))
    assert read_object_names(path, PATHS)[20] == Counter(man=1)


def test_most_frequent():
    names = {1: Counter(tree=2, oak=1), 2: Counter(man=1), 3: Counter(man=1, bag=1)}
    assert most_frequent(names, 3) == ['man', 'tree', 'bag']
    assert most_frequent(names, 3, 'images') == ['man', 'bag', 'oak']
    with pytest.raises(ValueError, match='5 categories are wanted, there are 4 names'):
        most_frequent(names, 5)
    with pytest.raises(ValueError, match='count must be one of'):
        most_frequent(names, 2, 'boxes')


def test_split_list(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('20.jpg\n1\n')
    assert read_split_list(path, PATHS) == [(20, PATHS[20]), (1, PATHS[1])]
    for text, message in (
        ('1.jpg\n2.jpg\n', r"list\.txt:2: '2\.jpg' is not an image"),
        ('1.jpg\n1\n', r"list\.txt:2: '1' occurs twice"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_split_list(path, PATHS)


def test_label_index(tmp_path):
    path = tmp_path / 'labels.json'
    assert read_label_index(write(path, {'1.jpg': [2, 0, 2]}), 3) == {1: [0, 2]}
    for content, message in (
        ({'1.jpg': [3]}, r"labels\.json: '1\.jpg': expected label indices in 0\.\.2"),
        ({'1.jpg': 'x'}, 'expected label indices'),
        ({'a.jpg': [1]}, "'a.jpg' is not named by an image id"),
        ([1], 'expected an object'),
    ):
        with pytest.raises(ValueError, match=message):
            read_label_index(write(path, content), 3)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({}, 'expected a list'),
        ([{'image_id': 1}], r'entry 0 has no list "objects"'),
        ([{'objects': []}], r'entry 0 has no "image_id"'),
        ([OBJECTS[1], OBJECTS[1]], r'entry 1: image 20 occurs twice'),
        ([{'image_id': 2, 'objects': []}], r'image 2 is not in image_data\.json'),
        ([{'image_id': 1, 'objects': [{'x': 1}]}], r'object 0 has no list "names"'),
    ],
)
def test_malformed_objects(tmp_path, content, message):
    path = write(tmp_path / 'objects.json', content)
    with pytest.raises(ValueError, match=rf'objects\.json.*{message}'):
        read_object_names(path, PATHS)


def test_malformed_images(tmp_path):
    for content, message in (
        ([{'image_id': 1}], 'entry 0 has no "url"'),
        ([IMAGES[0], IMAGES[0]], 'entry 1: image 1 occurs twice'),
    ):
        with pytest.raises(ValueError, match=message):
            read_image_paths(write(tmp_path / 'image_data.json', content))
