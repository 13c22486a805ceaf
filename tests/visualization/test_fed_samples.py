"""What the model is fed, compared with what the dataset and preprocessor give it."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.datasets import KFoldDataset, MultiLabelDataset
from PIL import Image

from mmscpnet.datasets import ConcatDataset, IncompleteMultiLabelDataset
from mmscpnet.datasets.formats import AnnotationWriter
from mmscpnet.models.data_preprocessors import MultiViewDataPreprocessor
from mmscpnet.visualization.fed_samples import (
    describe_views,
    fed_sample,
    spread_positions,
)

VIEW = [dict(type='Resize', scale=(32, 24))]
FLIPPED = [dict(type='RandomFlip', prob=1.0), *VIEW]
LOAD = dict(type='LoadImageFromFile')
MASK = dict(type='SinglePositiveLabel')
VIEWS = dict(type='MultiView', transforms=[VIEW, FLIPPED], num_views=[2, 1])
PACK = dict(type='PackInputs')
STATISTICS = dict(mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4])


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')


@pytest.fixture
def make(tmp_path):
    """A dataset of photos, red on the left and blue on the right."""

    def build(*pipeline, count=5, name='a'):
        path = tmp_path / f'{name}.json'
        picture = np.zeros((24, 32, 3), np.uint8)
        picture[:, :16] = 200, 30, 10
        picture[:, 16:] = 10, 30, 200
        with AnnotationWriter(path, ['a', 'b', 'c'], overwrite=True) as writer:
            for i in range(count):
                Image.fromarray(picture).save(tmp_path / f'{name}{i}.png')
                writer.add(str(tmp_path / f'{name}{i}.png'), [0, 2])
        return IncompleteMultiLabelDataset(ann_file=str(path), pipeline=list(pipeline))

    return build


@pytest.mark.parametrize('statistics', [STATISTICS, {}])
def test_views_are_those_of_the_photo(make, statistics):
    dataset = make(LOAD, MASK, VIEWS, PACK)
    preprocessor = MultiViewDataPreprocessor(**statistics, to_rgb=True)
    item = fed_sample(dataset, 3, preprocessor)
    assert item.title == 'a3.png  (sample 3)'
    assert [view.shape for view in item.views] == [(24, 32, 3)] * 3
    photo = np.asarray(Image.open(dataset.get_data_info(3)['img_path']))
    assert np.array_equal(item.views[0], photo)
    assert np.array_equal(item.views[1], photo)
    assert np.array_equal(item.views[2], photo[:, ::-1])
    packed = dataset[3]['data_samples'].gt_score
    assert item.scores.tolist() == packed.tolist() and (item.scores == 1).sum() == 1
    assert item.full is None
    assert fed_sample(dataset, 3, preprocessor, True).full.tolist() == [1, 0, 1]


def test_channels_as_the_model_gets_them(make):
    """A forgotten ``to_rgb`` shows."""
    dataset = make(LOAD, VIEW[0], PACK)
    preprocessor = MultiViewDataPreprocessor(**STATISTICS)
    item = fed_sample(dataset, 0, preprocessor, show_truth=True)
    (view,) = item.views
    assert view[0, 0].tolist() == [10, 30, 200]
    # Nothing is masked here.
    assert item.full.tolist() == item.scores.tolist() == [1, 0, 1]
    notes = describe_views(dataset, item, preprocessor)
    assert notes == [
        '1 view of 32 x 24 pixels; channels stay as they were read (to_rgb=False). '
        'LoadImageFromFile, Resize'
    ]


def test_description(make):
    dataset = make(LOAD, MASK, VIEWS, PACK)
    preprocessor = MultiViewDataPreprocessor(to_rgb=True)
    item = fed_sample(dataset, 0, preprocessor)
    assert describe_views(dataset, item, preprocessor) == [
        '3 views of 32 x 24 pixels. LoadImageFromFile, SinglePositiveLabel',
        'View 1, 2: Resize',
        'View 3: RandomFlip, Resize',
    ]


def test_out_of_range_values_are_clamped(make):
    preprocessor = MultiViewDataPreprocessor(to_rgb=True)
    preprocessor.forward = lambda data: {'inputs': torch.full((1, 3, 2, 2), 300.0)}
    item = fed_sample(make(LOAD, PACK), 0, preprocessor)
    assert (item.views[0] == 255).all()


def test_pipelines_that_do_not_fit(make):
    preprocessor = MultiViewDataPreprocessor()
    with pytest.raises(ValueError, match=r'a.json ends with Resize; it must end with'):
        fed_sample(make(LOAD, *VIEW), 0, preprocessor)
    dataset = make(LOAD, *VIEW, PACK)
    dataset.pipeline.transforms[1].transform = lambda results: None
    with pytest.raises(ValueError, match=r'Resize drops the image .*a0\.png'):
        fed_sample(dataset, 0, preprocessor)


def test_positions_are_spread_over_all_parts(make):
    parts = [make(count=4), make(count=6, name='b')]
    chosen = spread_positions(ConcatDataset(parts), 4)
    assert [(part is parts[1], i) for part, i in chosen] == [
        (False, 0),
        (False, 3),
        (True, 2),
        (True, 5),
    ]
    assert len(spread_positions(ConcatDataset(parts), 99)) == 10
    part = dict(type='mmscpnet.IncompleteMultiLabelDataset', ann_file=parts[0].ann_file)
    fold = KFoldDataset(part, fold=0, num_splits=2, test_mode=True)
    assert [i for _, i in spread_positions(fold, 9)] == [0, 1]


def test_foreign_dataset(make):
    foreign = MultiLabelDataset(ann_file=make().ann_file)
    with pytest.raises(ValueError, match='MultiLabelDataset is not a dataset of'):
        spread_positions(foreign, 1)
