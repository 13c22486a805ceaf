"""The feature bank: equal to the ordinary path, resumable, whole, never stale."""

import copy
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from mmscpnet.datasets import ConcatDataset, MultiLabelListDataset
from mmscpnet.engine.loops.keyed_batches import key_batches
from mmscpnet.feature_bank import (
    BankPipeline,
    BankSettings,
    FeatureBank,
    draw_from_bank,
    plan_views,
    read_whole_batches,
)
from mmscpnet.registry import MODELS

CLASSES = ['cat', 'dog', 'sea']
COUNT = 11


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')
    torch.manual_seed(0)


def pipeline(random):
    size = dict(scale=32) if random else dict(scale=(32, 32))
    weak = [dict(type='RandomResizedCrop' if random else 'Resize', **size)]
    strong = [dict(type='RandomFlip', prob=0.5 if random else 0.0), *weak]
    return [
        dict(type='LoadImageFromFile'),
        dict(type='SinglePositiveLabel'),
        dict(type='MultiView', transforms=[weak, weak, strong], num_views=[1, 1, 1]),
        dict(type='PackInputs'),
    ]


def make_dataset(folder, random=False, **kwargs):
    rng = np.random.default_rng(0)
    if not (folder / 'list.txt').exists():
        for i in range(COUNT):
            photo = rng.integers(0, 256, (40, 48, 3), np.uint8)
            Image.fromarray(photo).save(folder / f'{i}.png')
        lines = [f'{i}.png,{i % 3} {(i + 1) % 3}' for i in range(COUNT)]
        (folder / 'list.txt').write_text('\n'.join(lines))
    return MultiLabelListDataset(
        'list.txt',
        data_root=str(folder),
        data_prefix='.',
        classes=CLASSES,
        pipeline=pipeline(random),
        **kwargs,
    )


@pytest.fixture
def model():
    config = dict(
        type='SCPNet',
        frozen_backbone=True,
        data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
        backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='IncompleteLabelLinearHead',
            classes=CLASSES,
            in_channels=64,
            loss=dict(type='AssumeNegativeLoss'),
        ),
    )
    model = MODELS.build(config)
    model.init_weights()
    return model.eval()


def settings(tmp_path, **kwargs):
    return BankSettings(
        **{**dict(root=str(tmp_path / 'banks'), num_workers=0, batch_size=4), **kwargs}
    )


def only_folder(tmp_path):
    (folder,) = (tmp_path / 'banks').iterdir()
    return folder


@pytest.mark.parametrize('dtype, tolerance', [('float32', 1e-5), ('float16', 2e-3)])
def test_equals_the_ordinary_path(tmp_path, model, dtype, tolerance):
    ordinary, banked = make_dataset(tmp_path), make_dataset(tmp_path)
    draw_from_bank(model, banked, settings(tmp_path, dtype=dtype), 'train')
    for idx in (0, 3, COUNT - 1):
        want, got = ordinary[idx], banked[idx]
        images = model.data_preprocessor(dict(inputs=[want['inputs']]))['inputs']
        with torch.no_grad():
            features = [model.extract_feat(view)[-1][0] for view in images]
        assert len(got['inputs']) == 3
        for feature, stored in zip(features, got['inputs']):
            torch.testing.assert_close(stored, feature, atol=tolerance, rtol=tolerance)
        sample = want['data_samples']
        assert torch.equal(sample.gt_score, got['data_samples'].gt_score)
        assert sample.sample_idx == got['data_samples'].sample_idx


def test_labelled_and_weak_view_are_different_draws(tmp_path, model):
    dataset = make_dataset(tmp_path, random=True)
    plan = plan_views(dataset.pipeline.transforms)
    assert plan.slots == [0, 0, 1] and len(plan.kinds) == 2
    draw_from_bank(model, dataset, settings(tmp_path, num_draws=3), 'train')
    labelled, weak, strong = dataset[2]['inputs']
    assert not torch.equal(labelled, weak) and not torch.equal(weak, strong)
    drawn = {tuple(dataset[2]['inputs'][0].tolist()) for _ in range(40)}
    assert len(drawn) == 3


def test_subset_and_offset_find_their_rows(tmp_path, model):
    whole = make_dataset(tmp_path)
    part = make_dataset(tmp_path, indices=[7, 2])
    part.sample_offset = 100
    for dataset in (whole, part):
        draw_from_bank(model, dataset, settings(tmp_path), 'train')
    assert torch.equal(part[1]['inputs'][0], whole[2]['inputs'][0])


def test_second_use_computes_nothing(tmp_path, model, monkeypatch):
    draw_from_bank(model, make_dataset(tmp_path), settings(tmp_path), 'train')
    monkeypatch.setattr('mmscpnet.feature_bank.extract._extract', None)
    again = make_dataset(tmp_path)
    draw_from_bank(model, again, settings(tmp_path), 'train')
    assert isinstance(again.pipeline, BankPipeline)
    assert not list(only_folder(tmp_path).glob('chunk*'))


def test_runs_at_the_same_time_fill_it_once(tmp_path, model, monkeypatch):
    from mmscpnet.feature_bank import extract

    filled = []
    fill = extract._extract

    def slowly(*args):
        filled.append(1)
        time.sleep(0.5)
        fill(*args)

    monkeypatch.setattr(extract, '_extract', slowly)
    datasets = [make_dataset(tmp_path) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(
                draw_from_bank, copy.deepcopy(model), d, settings(tmp_path), 'train'
            )
            for d in datasets
        ]
        for run in runs:
            run.result()
    assert len(filled) == 1
    for dataset in datasets[1:]:
        assert torch.equal(dataset[0]['inputs'][0], datasets[0][0]['inputs'][0])


def test_interrupted_extraction_goes_on(tmp_path, model, monkeypatch):
    """Killed after two chunks: the rest is added, and all is as if uninterrupted."""
    monkeypatch.setattr(FeatureBank.__init__, '__defaults__', ('float16', 3))
    reference = make_dataset(tmp_path, random=True)
    options = settings(tmp_path, num_draws=2)
    draw_from_bank(
        model, reference, options._replace(root=str(tmp_path / 'r')), 'train'
    )

    write, written = FeatureBank.write_chunk, []

    def killed(bank, number, features):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(number)
        write(bank, number, features)

    monkeypatch.setattr(FeatureBank, 'write_chunk', killed)
    dataset = make_dataset(tmp_path, random=True)
    with pytest.raises(KeyboardInterrupt):
        draw_from_bank(model, dataset, options, 'train')
    folder = only_folder(tmp_path)
    assert len(list(folder.glob('chunk*'))) == 2
    assert not (folder / 'manifest.json').exists()

    monkeypatch.setattr(FeatureBank, 'write_chunk', write)
    draw_from_bank(model, dataset, options, 'train')
    assert np.array_equal(dataset.pipeline.features, reference.pipeline.features)


def test_copied_photos_keep_their_bank(tmp_path, model):
    """Neither the path nor the time of a photo matters, its content does."""
    original, copy = tmp_path / 'original', tmp_path / 'copy'
    original.mkdir()
    options = settings(tmp_path)
    draw_from_bank(model, make_dataset(original), options, 'train')
    shutil.copytree(original, copy, copy_function=shutil.copyfile)
    draw_from_bank(model, make_dataset(copy), options, 'train')
    only_folder(tmp_path)


def change_weights(model, dataset, folder):
    with torch.no_grad():
        model.backbone.conv1.weight.add_(1e-3)


def change_photo(model, dataset, folder):
    Image.new('RGB', (40, 48)).save(folder / '3.png')


def change_normalization(model, dataset, folder):
    model.data_preprocessor.mean.add_(1)


@pytest.mark.parametrize('change', [change_weights, change_photo, change_normalization])
def test_anything_that_matters_makes_another_bank(tmp_path, model, change):
    dataset = make_dataset(tmp_path)
    draw_from_bank(model, dataset, settings(tmp_path), 'train')
    change(model, dataset, tmp_path)
    draw_from_bank(model, make_dataset(tmp_path), settings(tmp_path), 'train')
    assert len(list((tmp_path / 'banks').iterdir())) == 2


@pytest.mark.parametrize('field', ['num_draws', 'seed', 'dtype', 'pipeline'])
def test_settings_make_another_bank(tmp_path, model, field):
    draw_from_bank(model, make_dataset(tmp_path), settings(tmp_path), 'train')
    other = dict(num_draws=2, seed=1, dtype='float32').get(field)
    options = {} if field == 'pipeline' else {field: other}
    dataset = make_dataset(tmp_path, random=field == 'pipeline')
    draw_from_bank(model, dataset, settings(tmp_path, **options), 'train')
    assert len(list((tmp_path / 'banks').iterdir())) == 2


def test_stale_or_damaged_bank_is_refused(tmp_path, model):
    draw_from_bank(model, make_dataset(tmp_path), settings(tmp_path), 'train')
    folder = only_folder(tmp_path)
    manifest = json.loads((folder / 'manifest.json').read_text())
    manifest['key']['weights'] = 'other'
    (folder / 'manifest.json').write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match='stale: it differs from this config in weig'):
        draw_from_bank(model, make_dataset(tmp_path), settings(tmp_path), 'train')
    manifest['key']['weights'] = None
    bank = FeatureBank(folder, manifest['key'], (3, 1, 1, 4))
    with pytest.raises(ValueError, match='expected float16'):
        bank.open()


def test_other_pipelines_are_refused():
    from mmcv.transforms import LoadImageFromFile

    with pytest.raises(ValueError, match='ends with PackInputs'):
        plan_views([LoadImageFromFile()])


def test_an_image_is_read_and_masked_once(tmp_path, model, monkeypatch):
    """The second epoch draws other views of the same, independent, labels."""
    dataset = make_dataset(tmp_path, random=True)
    draw_from_bank(model, dataset, settings(tmp_path, num_draws=3), 'train')
    np.random.seed(0)
    first = [dataset[idx]['data_samples'] for idx in range(COUNT)]
    monkeypatch.setattr(type(dataset), 'get_data_info', None)
    for idx in range(COUNT):
        again = dataset[idx]['data_samples']
        assert torch.equal(again.gt_score, first[idx].gt_score)
        assert again.metainfo == first[idx].metainfo
        # What is added to one, by a model that predicts, is not in the next.
        again.set_pred_score(torch.ones(len(CLASSES)))
        assert 'pred_score' not in dataset[idx]['data_samples']
        assert 'pred_score' not in first[idx]


def test_labels_of_many_images_are_not_all_kept(tmp_path, model, monkeypatch):
    monkeypatch.setattr('mmscpnet.feature_bank.pipeline.MAX_KEPT', 4)
    dataset = make_dataset(tmp_path)
    draw_from_bank(model, dataset, settings(tmp_path), 'train')
    first = [dataset[idx]['data_samples'].gt_score for idx in range(COUNT)]
    assert len(dataset.pipeline._packed) == 4
    for idx in range(COUNT):
        assert torch.equal(dataset[idx]['data_samples'].gt_score, first[idx])


@pytest.mark.parametrize('views', [True, False])
def test_a_batch_is_read_at_once(tmp_path, model, views):
    """The same batch as from sample after sample, of one bank or two."""
    datasets = []
    for name in 'ab':
        folder = tmp_path / name
        folder.mkdir()
        dataset = make_dataset(folder, random=True)
        if not views:
            steps = dataset.pipeline.transforms
            steps[2] = steps[2].transforms[0]
        datasets.append(dataset)
    both = ConcatDataset(datasets)
    draw_from_bank(model, both, settings(tmp_path, num_draws=3), 'train')
    order = [3, 1, 2, 7, 0, 12, 9, 15]
    loader = DataLoader(both, 5, sampler=order, collate_fn=default_collate)
    key_batches(loader).begin(seed=1, epoch=2, first=0)
    expected = list(loader)
    read_whole_batches(loader)
    found = list(loader)
    assert [len(batch['data_samples']) for batch in found] == [5, 3]
    for want, got in zip(expected, found):
        assert type(want['inputs']) is type(got['inputs'])
        for a, b in zip(want['inputs'], got['inputs']):
            assert torch.equal(a, b) and a.dtype == b.dtype
        for a, b in zip(want['data_samples'], got['data_samples']):
            assert a.sample_idx == b.sample_idx
            assert torch.equal(a.gt_score, b.gt_score)
