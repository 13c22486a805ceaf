"""A bad photo stops the run by name, or is left out and counted."""

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpretrain.datasets import KFoldDataset
from PIL import Image
from torch.utils.data import DataLoader

from mmscpnet.datasets import MultiLabelListDataset
from mmscpnet.datasets.photos import BadPhoto
from mmscpnet.feature_bank import BankSettings, draw_from_bank
from mmscpnet.registry import MODELS, TRANSFORMS

CLASSES = ['cat', 'dog', 'sea']
COUNT = 12
BAD = (2, 3, 11)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')


@pytest.fixture
def folder(tmp_path):
    """Photo i is of the one grey value 10 i; three of twelve are bad."""
    for i in range(COUNT):
        Image.new('L', (16, 16), 10 * i).save(tmp_path / f'{i}.png')
    (tmp_path / '2.png').write_bytes(b'')
    for i in BAD[1:]:
        whole = (tmp_path / f'{i}.png').read_bytes()
        (tmp_path / f'{i}.png').write_bytes(whole[:-25])
    lines = [f'{i}.png,{i % 3}' for i in range(COUNT)]
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    return tmp_path


def make(folder, load='LoadImageFromFile', **kwargs):
    kwargs.setdefault('pipeline', [dict(type=load), dict(type='PackInputs')])
    return MultiLabelListDataset(
        'list.txt', data_root=str(folder), data_prefix='.', classes=CLASSES, **kwargs
    )


def grey(sample):
    return int(sample['inputs'].unique().item())


@pytest.fixture
def log(caplog):
    """What mmengine's logger says."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.mark.parametrize('workers, test_mode', [(0, False), (0, True), (1, False)])
def test_error_names_the_photo(folder, workers, test_mode):
    loader = DataLoader(
        make(folder, test_mode=test_mode), 2, num_workers=workers, collate_fn=list
    )
    batches = iter(loader)
    assert [grey(sample) for sample in next(batches)] == [0, 10]
    with pytest.raises(BadPhoto, match=r'2\.png cannot be used: the file is empty'):
        next(batches)


@pytest.mark.parametrize('workers', [0, 2])
def test_skipped_photos_are_named_and_nothing_else_changes(folder, workers, log):
    dataset = make(folder, bad_photos='skip')
    (message,) = [m for m in log.messages if 'photos are skipped' in m]
    assert '3 of 12 photos are skipped' in message and 'no measure counts' in message
    for i in BAD:
        assert f'{i}.png cannot be used: ' in message
    left = [i for i in range(COUNT) if i not in BAD]
    loader = DataLoader(dataset, 4, num_workers=workers, collate_fn=list)
    batches = list(loader)
    assert [len(batch) for batch in batches] == [4, 4, 1]
    for i, sample in zip(left, sum(batches, [])):
        # Pixels, labels and index are of this photo and of no other.
        assert grey(sample) == 10 * i
        assert sample['data_samples'].sample_idx == i
        assert sample['data_samples'].gt_label.tolist() == [i % 3]
    # Per-image state keeps its size, masking its positions.
    assert dataset.num_samples == COUNT


def test_a_feature_bank_holds_the_others(folder):
    """Rows of the bank belong to the photos that are left."""
    views = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = make(folder, bad_photos='skip', pipeline=views)
    model = MODELS.build(
        dict(
            type='SCPNet',
            frozen_backbone=True,
            data_preprocessor=dict(mean=[0] * 3, std=[1] * 3),
            backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='IncompleteLabelLinearHead',
                classes=CLASSES,
                in_channels=64,
                loss=dict(type='AssumeNegativeLoss'),
            ),
        )
    )
    settings = BankSettings(root=str(folder / 'banks'), num_workers=0, batch_size=4)
    inputs = torch.stack([dataset[i]['inputs'] for i in range(len(dataset))])
    draw_from_bank(model, dataset, settings, 'train')
    with torch.no_grad():
        want = model.eval().extract_feat(inputs.float())[-1]
    got = torch.stack([dataset[i]['inputs'] for i in range(len(dataset))])
    torch.testing.assert_close(got, want, atol=2e-2, rtol=2e-2)
    with pytest.raises(BadPhoto, match=r'2\.png'):
        bad = make(folder, pipeline=views)
        draw_from_bank(model, bad, settings, 'train')


@pytest.mark.parametrize('serialize', [True, False])
def test_skipping_under_indices_and_folds(folder, serialize):
    dataset = make(
        folder, bad_photos='skip', indices=[0, 2, 4, 11], serialize_data=serialize
    )
    assert [dataset.get_data_info(i)['sample_idx'] for i in range(2)] == [0, 4]
    assert len(dataset) == 2
    lazy = make(folder, bad_photos='skip', lazy_init=True)
    assert len(lazy) == 9
    inner = dict(
        type='MultiLabelListDataset',
        ann_file='list.txt',
        data_root=str(folder),
        data_prefix='.',
        classes=CLASSES,
        bad_photos='skip',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')],
    )
    folds = KFoldDataset(inner, fold=0, num_splits=3)
    seen = [grey(folds[i]) for i in range(len(folds))]
    assert len(seen) == 6 and not {10 * i for i in BAD} & set(seen)


def test_without_a_pipeline_no_photo_is_read(folder):
    assert len(make(folder, bad_photos='skip', pipeline=[])) == COUNT


def test_masking_sees_the_whole_file(folder):
    """What a photo keeps does not depend on whether others are damaged."""
    lines = [f'{i}.png,0 1 2' for i in range(COUNT)]
    (folder / 'list.txt').write_text('\n'.join(lines))
    steps = [
        dict(type='LoadImageFromFile'),
        dict(type='LabelProtocol', protocol='spml-uniform'),
        dict(type='PackInputs'),
    ]
    skipped = make(folder, bad_photos='skip', pipeline=steps)
    whole = make(folder, pipeline=steps)
    for sample in (skipped[i] for i in range(len(skipped))):
        other = whole[sample['data_samples'].sample_idx]['data_samples']
        assert np.array_equal(sample['data_samples'].gt_score, other.gt_score)


def test_a_missing_photo_is_an_error_in_every_case(folder):
    (folder / '5.png').unlink()
    dataset = make(folder, bad_photos='skip')
    assert len(dataset) == 9
    with pytest.raises(FileNotFoundError, match=r'5\.png'):
        dataset[3]


def test_refusals(folder):
    with pytest.raises(ValueError, match="bad_photos must be one of .*found 'ignore'"):
        make(folder, bad_photos='ignore')
    with pytest.raises(ValueError, match="found mmcv's"):
        make(folder, load='mmengine.LoadImageFromFile', bad_photos='skip')
    for i in range(COUNT):
        (folder / f'{i}.png').write_bytes(b'')
    with pytest.raises(ValueError, match='none of the 12 photos can be used'):
        make(folder, bad_photos='skip')


def test_no_other_photo_is_taken_where_the_pipeline_gives_none(folder):
    """mmengine takes a random one."""
    lossy = TRANSFORMS.build(dict(type='mmengine.LoadImageFromFile', ignore_empty=True))
    dataset = make(folder, pipeline=[lossy, dict(type='PackInputs')])
    assert grey(dataset[1]) == 10
    with pytest.raises(ValueError, match=r'gives None for .*2\.png; no other image'):
        dataset[2]
