"""The readers: three label states, lasting indices, and errors that name the place."""

import json

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset as MMEngineConcatDataset
from mmengine.dataset import RepeatDataset
from mmengine.registry import init_default_scope
from mmpretrain.datasets import KFoldDataset
from torch.utils.data import Subset

from mmscpnet.datasets import (
    ConcatDataset,
    IncompleteMultiLabelDataset,
    MultiLabelListDataset,
    count_samples,
    load_class_names,
    read_label_list,
)
from tests.shared import shared_file

CLASSES = ['cat', 'dog', 'sea']


def write_json(path, data_list, **metainfo):
    metainfo = {'classes': CLASSES, **metainfo}
    path.write_text(json.dumps(dict(metainfo=metainfo, data_list=data_list)))
    return str(path)


def write_list(path, *lines):
    path.write_text('\n'.join(lines) + '\n')
    return str(path)


def scores(dataset):
    return [dataset.get_data_info(i)['gt_score'].tolist() for i in range(len(dataset))]


def test_json_states(tmp_path):
    entries = [
        dict(img_path='a.jpg', gt_label=[0, 2]),
        dict(img_path='b.jpg', gt_label=[], negative_label=[1]),
        dict(img_path='c.jpg'),
    ]
    file = write_json(tmp_path / 'a.json', entries, unlisted='unknown')
    dataset = IncompleteMultiLabelDataset(file, data_prefix='photos')
    assert scores(dataset) == [[1, -1, 1], [-1, 0, -1], [-1, -1, -1]]
    assert dataset.get_data_info(0)['img_path'] == 'photos/a.jpg'
    assert dataset.get_data_info(0)['gt_score'].dtype == np.int8
    # The config may say otherwise than the file.
    dataset = IncompleteMultiLabelDataset(file, unlisted='negative')
    assert scores(dataset) == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_json_without_unlisted_is_complete(tmp_path):
    file = write_json(tmp_path / 'a.json', [dict(img_path='a.jpg', gt_label=[1])])
    assert scores(IncompleteMultiLabelDataset(file)) == [[0, 1, 0]]


@pytest.mark.parametrize(
    'entry, message',
    [
        (dict(gt_label=[3]), r'data_list\[1\]: label 3 is outside 0..2'),
        (dict(gt_label=[-1]), r'data_list\[1\]: label -1 is outside'),
        (dict(gt_label=[1], negative_label=[1]), r"label 1 \('dog'\) is both"),
        (dict(gt_label='dog'), r'data_list\[1\]: gt_label must be a list'),
        (dict(gt_label=[0.5]), 'gt_label must be a list'),
    ],
)
def test_json_errors_name_the_entry(tmp_path, entry, message):
    entries = [dict(img_path='a.jpg', gt_label=[]), dict(img_path='b.jpg', **entry)]
    file = write_json(tmp_path / 'a.json', entries)
    with pytest.raises(ValueError, match=message):
        IncompleteMultiLabelDataset(file)


def test_json_of_other_classes_is_refused(tmp_path):
    file = write_json(tmp_path / 'a.json', [dict(img_path='a.jpg', gt_label=[1])])
    with pytest.raises(ValueError, match="label 1 is 'dog', expected 'cow'"):
        IncompleteMultiLabelDataset(file, classes=['cat', 'cow', 'sea'])
    with pytest.raises(ValueError, match='unlisted'):
        IncompleteMultiLabelDataset(file, unlisted='maybe')


def test_list_file(tmp_path):
    file = write_list(tmp_path / 'a.txt', 'a.jpg,0 2', 'b,b.jpg, 1', '', 'sub/c.jpg,')
    dataset = MultiLabelListDataset(
        file, classes=CLASSES, unlisted='unknown', data_prefix='p'
    )
    assert scores(dataset) == [[1, -1, 1], [-1, 1, -1], [-1, -1, -1]]
    paths = [dataset.get_data_info(i)['img_path'] for i in range(3)]
    assert paths == ['p/a.jpg', 'p/b,b.jpg', 'p/sub/c.jpg']


@pytest.mark.parametrize(
    'lines, message',
    [
        (['a.jpg 1'], r'a.txt:1: expected "image,labels", found \'a.jpg 1\''),
        (['a.jpg,1', 'b.jpg,x'], r"a.txt:2: labels are 0-based .* found 'x'"),
        (['a.jpg,1', 'a.jpg,2'], 'a.txt:2: a.jpg is listed already in line 1'),
        (['a.jpg,1', 'b.jpg,7'], r'line 2 \(b.jpg\): label 7 is outside 0..2'),
    ],
)
def test_list_errors_name_file_and_line(tmp_path, lines, message):
    file = write_list(tmp_path / 'a.txt', *lines)
    with pytest.raises(ValueError, match=message):
        MultiLabelListDataset(file, classes=CLASSES)


def test_list_encodings(tmp_path):
    file = tmp_path / 'a.txt'
    file.write_bytes('ö.jpg,1\n'.encode('utf-8-sig'))
    assert read_label_list(file) == [(1, 'ö.jpg', [1])]
    file.write_bytes('ö.jpg,1\n'.encode('latin-1'))
    with pytest.raises(ValueError, match=r'a\.txt: not UTF-8'):
        read_label_list(file)


def test_missing_things(tmp_path):
    with pytest.raises(FileNotFoundError, match='no label list at'):
        read_label_list(tmp_path / 'absent.txt')
    file = write_list(tmp_path / 'a.txt', 'a.jpg,0')
    with pytest.raises(ValueError, match='names no classes'):
        MultiLabelListDataset(file)
    empty = write_list(tmp_path / 'empty.txt', '')
    with pytest.raises(ValueError, match='empty.txt lists no image'):
        MultiLabelListDataset(empty, classes=CLASSES)
    with pytest.raises(FileNotFoundError, match='no file of class names'):
        MultiLabelListDataset(file, classes='absent.txt')


def test_class_names(tmp_path):
    file = tmp_path / 'names.txt'
    file.write_text('cat\ntraffic light \n\n')
    assert load_class_names(file) == ['cat', 'traffic light']
    assert load_class_names('voc20')[-1] == 'tvmonitor'
    file.write_bytes('Möwe\n'.encode('utf-8-sig'))
    assert load_class_names(file) == ['Möwe']
    file.write_bytes('Möwe\n'.encode('latin-1'))
    with pytest.raises(ValueError, match=r'names\.txt: not UTF-8'):
        load_class_names(file)
    with pytest.raises(ValueError, match=r"'cat' stands at indices \[0, 2\]"):
        load_class_names(['cat', 'dog', 'cat'])
    with pytest.raises(ValueError, match='name of class 1 is empty'):
        load_class_names(['cat', ''])
    with pytest.raises(ValueError, match='no class name'):
        load_class_names([])
    with pytest.raises(ValueError, match='model.head.classes is missing'):
        load_class_names(None, 'model.head.classes')


@pytest.mark.parametrize(
    'name, file', [('coco80', 'coco'), ('voc20', 'voc'), ('nus81', 'nuswide')]
)
def test_known_sets_are_those_of_the_lists(name, file):
    path = shared_file(f'data/scpnet_lists/{file}_labels.txt')
    assert load_class_names(name) == load_class_names(path)


@pytest.mark.parametrize(
    'name, classes, count',
    [
        ('coco_train_singlelabel', 'coco', 82081),
        ('voc_train', 'voc', 5717),
        ('voc_val', 'voc', 5823),
        ('cub_train', 'cub', 5994),
        ('cub_val', 'cub', 5794),
        ('nus_val', 'nuswide', 50720),
    ],
)
def test_published_lists(name, classes, count):
    names = load_class_names(shared_file(f'data/scpnet_lists/{classes}_labels.txt'))
    entries = read_label_list(shared_file(f'data/scpnet_lists/{name}.txt'))
    assert len(entries) == count
    assert all(0 <= i < len(names) for entry in entries for i in entry.positives)
    if 'train' in name:
        assert {len(entry.positives) for entry in entries} == {1}


# ------------------------------------------------------------------ lasting indices


@pytest.fixture
def dataset(tmp_path):
    lines = [f'{i}.jpg,{i % 3}' for i in range(10)]
    return MultiLabelListDataset(
        write_list(tmp_path / 'a.txt', *lines), classes=CLASSES
    )


def indices(dataset):
    return [dataset.get_data_info(i)['sample_idx'] for i in range(len(dataset))]


def make(tmp_path, name, count, **kwargs):
    file = write_list(tmp_path / name, *[f'{name}{i}.jpg,0' for i in range(count)])
    return MultiLabelListDataset(file, classes=CLASSES, **kwargs)


def test_subsets_keep_their_index(tmp_path, dataset):
    assert indices(make(tmp_path, 'b.txt', 10, indices=[7, 2])) == [7, 2]
    assert make(tmp_path, 'c.txt', 10, indices=3).num_samples == 10
    init_default_scope('mmscpnet')
    config = dict(
        type='MultiLabelListDataset', ann_file=dataset.ann_file, classes=CLASSES
    )
    train = KFoldDataset(config, fold=1, num_splits=5)
    assert indices(train) == [0, 1, 4, 5, 6, 7, 8, 9]
    assert count_samples(train) == 10
    assert count_samples(Subset(dataset, [4, 5])) == 10
    assert count_samples(RepeatDataset(dataset, 3)) == 10


def test_concatenation_shifts_the_index(tmp_path):
    parts = [make(tmp_path, 'a.txt', 3), make(tmp_path, 'b.txt', 4, indices=[3])]
    both = ConcatDataset(parts)
    assert indices(both) == [0, 1, 2, 6]
    assert count_samples(both) == 7


def test_colliding_concatenation_is_refused(tmp_path, dataset):
    parts = [make(tmp_path, 'a.txt', 3), make(tmp_path, 'b.txt', 4)]
    with pytest.raises(ValueError, match='mmscpnet.ConcatDataset'):
        count_samples(MMEngineConcatDataset(parts))
    with pytest.raises(ValueError, match='same object as an earlier part'):
        ConcatDataset([dataset, dataset])
    with pytest.raises(ValueError, match='carry no lasting sample_idx'):
        count_samples([1, 2, 3])
