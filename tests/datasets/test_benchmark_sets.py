"""The benchmarks by name, and the settings in ``configs/_base_/datasets``."""

import json

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmscpnet.datasets as datasets
from mmscpnet.datasets import BenchmarkDataset
from mmscpnet.datasets.formats import AnnotationWriter
from mmscpnet.registry import DATASETS
from tests.shared import ROOT

SETS = [
    value
    for value in vars(datasets).values()
    if isinstance(value, type)
    and issubclass(value, BenchmarkDataset)
    and value is not BenchmarkDataset
]
BASES = sorted((ROOT / 'configs' / '_base_' / 'datasets').glob('*.py'))


def test_every_benchmark_is_there():
    assert len(SETS) == 9
    prefixes = {path.stem.split('_')[0] for path in BASES}
    assert prefixes >= {
        'coco14',
        'voc07',
        'voc12',
        'nus',
        'cub',
        'vg200',
        'openimages',
        'corel5k',
        'msrc',
    }


@pytest.mark.parametrize('dataset', SETS, ids=lambda cls: cls.__name__)
def test_splits_lead_to_files_and_photos(dataset, tmp_path):
    classes = dataset.METAINFO.get('classes', ('a', 'b', 'c'))
    for split, prefix in dataset.SPLITS.items():
        path = tmp_path / 'multilabel' / f'{split}.json'
        with AnnotationWriter(path, classes) as writer:
            writer.add(f'{split}.jpg', [1])
        settings = dict(
            type=dataset.__name__, data_root=str(tmp_path), split=split, pipeline=[]
        )
        built = DATASETS.build(settings)
        assert tuple(built.CLASSES) == tuple(classes)
        info = built.get_data_info(0)
        assert info['img_path'] == str(tmp_path / prefix / f'{split}.jpg')
        assert built.get_targets()[0].tolist() == [0, 1] + [0] * (len(classes) - 2)
    with pytest.raises(ValueError, match=f'{dataset.__name__}: split must be one of'):
        DATASETS.build(dict(settings, split='none'))


def test_other_classes_in_the_file(tmp_path):
    with AnnotationWriter(tmp_path / 'thin.json', ['a', 'b'], 'unknown') as writer:
        writer.add('x.jpg', [1])
    settings = dict(data_root=str(tmp_path), split='test', ann_file='thin.json')
    # Corel5k comes with 374 words or with 74; VOC always has its 20.
    found = datasets.Corel5k(**settings, data_prefix='', pipeline=[])
    assert found.get_targets().tolist() == [[-1, 1]]
    assert found.get_data_info(0)['img_path'] == str(tmp_path / 'x.jpg')
    with pytest.raises(ValueError, match='2 labels found, 20 expected'):
        datasets.VOC2007(**settings, pipeline=[])


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_base_settings_build(path, tmp_path):
    """With a file in the place of each list, every loader's dataset is built."""
    init_default_scope('mmscpnet')
    config = Config.fromfile(path)
    names = [f'label {i}' for i in range(4)]
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        settings = config[key].dataset
        if settings.type == 'KFoldDataset':
            settings.num_splits = 2
            settings = settings.dataset
        if settings.type == 'DemoScenes':
            continue
        settings.update(data_root=str(tmp_path), classes=names, lazy_init=False)
        name = settings.get('ann_file') or f'multilabel/{settings.split}.json'
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        if file.suffix == '.json':
            rows = [dict(img_path=f'{i}.jpg', gt_label=[i]) for i in range(4)]
            content = dict(metainfo=dict(classes=names), data_list=rows)
            file.write_text(json.dumps(content))
        else:
            file.write_text(''.join(f'{i}.jpg,{i}\n' for i in range(4)))
        assert len(DATASETS.build(config[key].dataset)) in (2, 4)
