"""Configs of this repository, models of MMPretrain, and CLIP without training."""

import cv2
import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from mmscpnet.apis import MultiLabelInferencer
from mmscpnet.registry import MODELS
from mmscpnet.utils.cli import build_runner
from tests.models.utils import clip_models
from tests.shared import ROOT
from tests.shrunken_configs import CONFIGS, shrink

from .small_models import CLASSES, make_config, make_photos, save_model


def kind(name: str) -> tuple:
    """What of a config matters here; configs that share it differ in training only."""
    config = Config.fromfile(ROOT / 'configs' / name)
    head, dataset = config.model.head, config.test_dataloader.dataset
    return (
        config.model.backbone.type,
        config.model.backbone.get('model', ''),
        config.model.get('frozen_backbone', False),
        head.type,
        head.get('association') is None,
        head.get('prompter', {}).get('type'),
        str([step['type'] for step in dataset.pipeline]),
    )


KINDS = sorted({kind(name): name for name in reversed(CONFIGS)}.values())


@pytest.mark.parametrize('name', KINDS)
def test_scores_of_a_config_are_those_of_its_test(name, tmp_path):
    torch.set_num_threads(1)
    config = shrink(name, tmp_path)
    config.launcher = 'none'
    if 'feature_bank' in config.default_hooks:
        config.default_hooks.feature_bank.dtype = 'float32'
    runner = build_runner(config)
    runner.model.init_weights()
    weights = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=runner.model.state_dict()), weights)
    samples = []
    metric = runner.test_evaluator.metrics[0]
    metric.process = lambda batch, data_samples: samples.extend(data_samples)
    metric.evaluate = lambda size: {}
    runner.test()
    results = MultiLabelInferencer(config, weights, device='cpu')(
        [sample['img_path'] for sample in samples[:3]]
    )
    for sample, result in zip(samples, results):
        expected = sample['pred_score'].numpy()
        np.testing.assert_allclose(result['scores'], expected, atol=1e-5)


def mmpretrain_config(folder, head, backbone=None):
    make_photos(folder)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(64, 64)),
        dict(type='PackInputs'),
    ]
    return Config(
        dict(
            default_scope='mmpretrain',
            data_preprocessor=dict(
                num_classes=5, mean=[127.0] * 3, std=[60.0] * 3, to_rgb=True
            ),
            model=dict(
                type='ImageClassifier',
                backbone=backbone or dict(type='ResNet', depth=18),
                neck=head.pop('neck', None),
                head=head,
            ),
            test_dataloader=dict(
                dataset=dict(
                    type='MultiLabelDataset',
                    data_root=str(folder),
                    ann_file='test.json',
                    pipeline=pipeline,
                )
            ),
        )
    )


@pytest.mark.parametrize(
    'head',
    [
        dict(
            type='MultiLabelLinearClsHead',
            num_classes=5,
            in_channels=512,
            neck=dict(type='GlobalAveragePooling'),
        ),
        dict(
            type='CSRAClsHead',
            num_classes=5,
            in_channels=512,
            num_heads=1,
            lam=0.1,
            loss=dict(type='CrossEntropyLoss', use_sigmoid=True),
        ),
        dict(
            type='MultiLabelLinearClsHead',
            num_classes=5,
            in_channels=512,
            topk=2,
            neck=dict(type='GlobalAveragePooling'),
        ),
    ],
    ids=['linear', 'csra', 'linear, topk'],
)
def test_multi_label_models_of_mmpretrain(head, tmp_path):
    top_k = head.get('topk')
    config = mmpretrain_config(tmp_path, dict(head))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        settings = dict(config.model, data_preprocessor=config.data_preprocessor)
        model = MODELS.build(settings)
    model.init_weights()
    meta = dict(dataset_meta=dict(classes=CLASSES))
    weights = tmp_path / 'w.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=meta), weights)
    inferencer = MultiLabelInferencer(config, weights, device='cpu')
    assert inferencer.classes == CLASSES
    paths = sorted((tmp_path / 'photos').rglob('*.png'))
    model.eval()
    for path, result in zip(paths, inferencer(paths)):
        img = resized(path)
        pixels = (torch.from_numpy(img).permute(2, 0, 1)[None].float() - 127) / 60
        with torch.no_grad():
            expected = model.head(model.extract_feat(pixels)).sigmoid()[0].numpy()
        np.testing.assert_allclose(result['scores'], expected, atol=1e-5)
        # The head's own rule.
        assert result['decisions'].sum() == (top_k or (expected >= 0.5).sum())


def resized(path) -> np.ndarray:
    """RGB of the size of the test pipeline, by OpenCV as mmcv does."""
    return cv2.resize(np.array(Image.open(path)), (64, 64))


def test_a_model_of_the_zoo_by_name(tmp_path):
    name = 'resnet101-csra_1xb16_voc07-448px'
    torch.manual_seed(0)
    from mmpretrain.apis import get_model

    weights = tmp_path / 'w.pth'
    torch.save(dict(state_dict=get_model(name, pretrained=False).state_dict()), weights)
    inferencer = MultiLabelInferencer(name, weights, device='cpu', top_k=2)
    # Names come from the dataset that the config names.
    assert inferencer.classes[0] == 'aeroplane' and len(inferencer.classes) == 20


def test_a_model_with_one_label_a_photo_is_refused(tmp_path):
    head = dict(
        type='LinearClsHead',
        num_classes=5,
        in_channels=512,
        neck=dict(type='GlobalAveragePooling'),
    )
    with pytest.raises(ValueError, match='LinearClsHead gives each photo one label'):
        MultiLabelInferencer(mmpretrain_config(tmp_path, head))


def test_without_names_classes_are_numbered(tmp_path):
    head = dict(
        type='MultiLabelLinearClsHead',
        num_classes=5,
        in_channels=512,
        neck=dict(type='GlobalAveragePooling'),
    )
    config = mmpretrain_config(tmp_path, dict(head))
    inferencer = MultiLabelInferencer(config, top_k=5)
    assert inferencer.classes == [f'class {i}' for i in range(5)]
    (result,) = inferencer(next((tmp_path / 'photos').glob('*.png')))
    assert sorted(result['labels']) == [f'class {i}' for i in range(5)]
    wrong = mmpretrain_config(tmp_path / 'b', {**head, 'num_classes': 4})
    wrong.test_dataloader.dataset.metainfo = dict(classes=CLASSES)
    with pytest.raises(ValueError, match='scores 4 labels, but 5 names'):
        MultiLabelInferencer(wrong)(next((tmp_path / 'photos').glob('*.png')))


def test_a_config_that_prepares_no_photos(tmp_path):
    make_photos(tmp_path)
    config, _ = save_model(
        make_config(
            tmp_path,
            dict(
                type='IncompleteLabelLinearHead',
                classes=CLASSES,
                in_channels=24,
                loss=dict(type='SPLCLoss'),
            ),
        ),
        tmp_path,
    )
    config = Config.fromfile(config)
    config.test_dataloader.dataset.pipeline.pop(0)
    with pytest.raises(ValueError, match='no LoadImageFromFile'):
        MultiLabelInferencer(config)
    config = Config(dict(model=config.model, default_scope='mmscpnet'))
    with pytest.raises(ValueError, match='neither test_dataloader nor'):
        MultiLabelInferencer(config)


@pytest.fixture
def zero_shot(tmp_path):
    """The zero-shot config on a random tiny CLIP; its open_clip model, its photos."""
    tiny = clip_models.kwargs({**clip_models.RESNET, 'image_size': 224})
    reference = clip_models.build(tiny, quick_gelu=True)
    file = clip_models.save(reference, tmp_path / 'clip.pt')
    name = 'scpnet/scpnet_clip-rn50_1xb128_coco14-zeroshot.py'
    config = Config.fromfile(ROOT / 'configs' / name)
    clip = dict(pretrained=file, model_kwargs=tiny, quick_gelu=True)
    config.model.backbone.update(clip)
    config.model.head.in_channels = tiny['embed_dim']
    config.model.head.prompter.text_encoder.update(clip)
    make_photos(tmp_path)
    return config, reference, sorted((tmp_path / 'photos').rglob('*.png'))


@pytest.mark.parametrize('labels', ['coco80', ['zebra', 'wine glass', 'snow']])
def test_untrained_it_is_zero_shot_clip(zero_shot, labels):
    config, reference, paths = zero_shot
    inferencer = MultiLabelInferencer(config, device='cpu')
    if labels != 'coco80':
        inferencer.set_labels(labels)
    results = inferencer(paths)
    # CLIP's own preparation of photos.
    transform = open_clip.image_transform(224, is_train=False)
    photos = torch.stack([transform(Image.open(path)) for path in paths])
    texts = [f'a photo of a {name}.' for name in inferencer.classes]
    with torch.no_grad():
        images = F.normalize(reference.encode_image(photos), dim=1)
        tokens = clip_models.tokenize(texts)
        features = F.normalize(reference.encode_text(tokens), dim=1)
        expected = (10 * images @ features.t()).sigmoid().numpy()
    found = np.stack([result['scores'] for result in results])
    assert found.shape == (6, len(texts))
    # Resizing rounds to whole numbers here, and not there.
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999


def test_the_zero_shot_scores_are_exact_on_the_same_pixels(zero_shot):
    config, reference, paths = zero_shot
    inferencer = MultiLabelInferencer(config, device='cpu')
    pixels = []
    hook = inferencer.model.backbone.register_forward_pre_hook(
        lambda module, args: pixels.append(args[0])
    )
    found = np.stack([result['scores'] for result in inferencer(paths)])
    hook.remove()
    texts = [f'a photo of a {name}.' for name in inferencer.classes]
    with torch.no_grad():
        images = F.normalize(reference.encode_image(torch.cat(pixels)), dim=1)
        tokens = clip_models.tokenize(texts)
        features = F.normalize(reference.encode_text(tokens), dim=1)
        expected = (10 * images @ features.t()).sigmoid().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
