"""``tools/dataset_converters/coco2014.py``."""

import json

import pytest

from mmscpnet.datasets import COCO2014, read_label_list
from mmscpnet.datasets.class_sets import COCO80
from tests.shared import shared_file
from tests.tools.dataset_converters.runs import converted, labels

# COCO's category ids have gaps.
IDS = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]


def layout(root):
    """The official folders with three photos a split, one without objects."""
    (root / 'annotations').mkdir(parents=True)
    for split, first in (('train2014', 9), ('val2014', 42)):
        names = [f'COCO_{split}_{first + i:012d}.jpg' for i in range(3)]
        content = {
            'info': {'description': 'COCO 2014 Dataset'},
            'licenses': [{'id': 1, 'name': 'x', 'url': 'x'}],
            'images': [
                {'id': first + i, 'file_name': name, 'height': 4, 'width': 5}
                for i, name in enumerate(names)
            ],
            'annotations': [
                {
                    'id': number,
                    'image_id': first + image,
                    'category_id': category,
                    'bbox': [0, 0, 1, 1],
                    'area': 1.0,
                    'iscrowd': 0,
                    'segmentation': [[0.0, 0.0, 1.0, 1.0]],
                }
                for number, (image, category) in enumerate(
                    [(2, 90), (0, 13), (0, 1), (0, 13)]
                )
            ],
            'categories': [
                {'id': key, 'name': name, 'supercategory': 'x'}
                for key, name in zip(IDS, COCO80)
            ],
        }
        path = root / 'annotations' / f'instances_{split}.json'
        path.write_text(json.dumps(content))
    return root


def test_images_with_annotations(tool, tmp_path):
    main = tool('dataset_converters/coco2014.py').main
    files, manifest = converted(main, layout(tmp_path / 'coco'), tmp_path / 'out')
    assert files['train2014']['metainfo']['classes'] == list(COCO80)
    assert labels(files['train2014']) == {
        'COCO_train2014_000000000009.jpg': [0, 11],
        'COCO_train2014_000000000011.jpg': [79],
    }
    assert len(files['val2014']['data_list']) == 2
    counts = manifest['splits']['train2014']['per_class']['stop sign']
    assert counts == {'positives': 1, 'negatives': 1, 'unknowns': 0}


def test_all_images_in_another_order(tool, tmp_path):
    main = tool('dataset_converters/coco2014.py').main
    options = ('--images', 'all', '--order', 'annotations')
    root = layout(tmp_path / 'coco')
    files, manifest = converted(main, root, tmp_path / 'out', *options)
    assert [row['img_path'][-6:] for row in files['val2014']['data_list']] == [
        '44.jpg',
        '42.jpg',
        '43.jpg',
    ]
    assert manifest['splits']['val2014']['images_without_positive'] == 1
    assert (manifest['images'], manifest['order']) == ('all', 'annotations')


def test_the_dataset_finds_the_files(tool, tmp_path):
    root = layout(tmp_path / 'coco')
    tool('dataset_converters/coco2014.py').main([str(root), '--allow-mismatch'])
    dataset = COCO2014(data_root=str(root), split='val2014', pipeline=[])
    assert dataset.get_cat_ids(1) == [79]
    path = dataset.get_data_info(0)['img_path']
    assert path == f'{root}/val2014/COCO_val2014_000000000042.jpg'
    with pytest.raises(ValueError, match="split must be one of .*'val'"):
        COCO2014(data_root=str(root), split='val', pipeline=[])


def test_other_categories_are_refused(tool, tmp_path):
    root = layout(tmp_path / 'coco')
    path = root / 'annotations' / 'instances_val2014.json'
    path.write_text(path.read_text().replace('"person"', '"people"'))
    with pytest.raises(ValueError, match="val2014.json: category 'people' is not"):
        tool('dataset_converters/coco2014.py').main([str(root), '--allow-mismatch'])
    assert not (root / 'multilabel').exists()
    with pytest.raises(FileNotFoundError, match='there is no folder at'):
        tool('dataset_converters/coco2014.py').main([str(root / 'none')])


def test_published_count_is_that_of_the_list(tool):
    published = tool('dataset_converters/coco2014.py').PUBLISHED['annotated']
    path = shared_file('data/scpnet_lists/coco_train_singlelabel.txt')
    assert len(read_label_list(path)) == published[0]
    names = shared_file('data/scpnet_lists/coco_labels.txt').read_text()
    assert names.split('\n')[:80] == list(COCO80)
