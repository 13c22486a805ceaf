"""COCO's instance annotations."""

import json

import pytest

from mmscpnet.datasets.formats import CocoInstances

# Ids with gaps; an image without object, one mentioned first by a later annotation.
CONTENT = {
    'info': {'year': 2014},
    'categories': [
        {'id': 18, 'name': 'dog', 'supercategory': 'animal'},
        {'id': 1, 'name': 'person', 'supercategory': 'person'},
    ],
    'images': [
        {'id': 9, 'file_name': 'i9.jpg', 'height': 3},
        {'id': 25, 'file_name': 'i25.jpg', 'height': 3},
        {'id': 100, 'file_name': 'i100.jpg', 'height': 3},
    ],
    'annotations': [
        {'id': 1, 'image_id': 100, 'category_id': 18, 'segmentation': [[1.0, 2.5]]},
        {
            'id': 2,
            'image_id': 9,
            'category_id': 18,
            'iscrowd': 1,
            'segmentation': {'counts': [1, 2], 'size': [3, 4]},
        },
        {'id': 3, 'image_id': 9, 'category_id': 1, 'segmentation': []},
        {'id': 4, 'image_id': 9, 'category_id': 18, 'segmentation': []},
    ],
}


def write(tmp_path, **changes):
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps({**CONTENT, **changes}))
    return path


def test_labels_and_both_counts(tmp_path):
    coco = CocoInstances(write(tmp_path))
    # In the order of the ids, not of the file.
    assert coco.classes == ['person', 'dog']
    assert list(coco.records()) == [('i9.jpg', [0, 1], ()), ('i100.jpg', [1], ())]
    assert [r.positives for r in coco.records('all')] == [[0, 1], [], [1]]
    assert (coco.count(), coco.count('all')) == (2, 3)


@pytest.mark.parametrize(
    ('order', 'expected'),
    [
        ('images', ['i9.jpg', 'i25.jpg', 'i100.jpg']),
        ('annotations', ['i100.jpg', 'i9.jpg', 'i25.jpg']),
        ('id-string', ['i100.jpg', 'i25.jpg', 'i9.jpg']),
    ],
)
def test_orders(tmp_path, order, expected):
    coco = CocoInstances(write(tmp_path))
    assert [record.img_path for record in coco.records('all', order)] == expected


def test_given_classes_set_the_indices(tmp_path):
    coco = CocoInstances(write(tmp_path), ['cat', 'dog', 'person'])
    assert next(coco.records()).positives == [1, 2]
    with pytest.raises(ValueError, match="category 'person' is not among the 2 given"):
        CocoInstances(write(tmp_path), ['cat', 'dog'])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'annotations': None}, "no list 'annotations'"),
        ({'annotations': [{'image_id': 9}]}, r'annotations\[0\] must have'),
        (
            {'annotations': [{'image_id': 7, 'category_id': 1}]},
            r'annotations\[0\]: there is no image with the id 7',
        ),
        (
            {'annotations': [{'image_id': 9, 'category_id': 2}]},
            r'annotations\[0\]: there is no category 2',
        ),
        ({'images': [{'id': 9}]}, r'images\[0\] must have "id" and "file_name"'),
        ({'images': [{'id': 9, 'file_name': 5}]}, r'images\[0\]: "id" must be'),
        (
            {'annotations': [{'image_id': [9], 'category_id': 1}]},
            r'annotations\[0\]: there is no image with the id \[9\]',
        ),
        (
            {'categories': [{'id': i, 'name': 'cat'} for i in (1, '2')]},
            r"categories: class name 'cat' stands at indices \[0, 1\]",
        ),
        ({'images': [CONTENT['images'][0]] * 2}, r'images\[1\]: the id 9 occurs twice'),
    ],
)
def test_malformed(tmp_path, changes, message):
    with pytest.raises(ValueError, match=rf'instances\.json.*{message}'):
        CocoInstances(write(tmp_path, **changes))


def test_not_json(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('{"images": [],\n oops}')
    with pytest.raises(ValueError, match=r'a\.json:2: not JSON'):
        CocoInstances(path)
    path.write_text('[1]')
    with pytest.raises(ValueError, match="no list 'images'"):
        CocoInstances(path)
    with pytest.raises(FileNotFoundError, match=r'none\.json'):
        CocoInstances(tmp_path / 'none.json')


def test_unknown_options(tmp_path):
    coco = CocoInstances(write(tmp_path))
    with pytest.raises(ValueError, match='images must be one of'):
        next(coco.records('some'))
    with pytest.raises(ValueError, match='order must be one of'):
        next(coco.records(order='random'))
