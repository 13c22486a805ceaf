"""The folded model computes what the whole one does."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmscpnet.deployment import ExportedModel
from mmscpnet.registry import MODELS
from tests.models.utils import clip_models

CLASSES = ['cat', 'traffic light', 'sea', 'sky', 'sun']
NORMALIZE = dict(mean=[120.0, 110.0, 100.0], std=[60.0, 61.0, 62.0])
TINY = dict(model='RN50', model_kwargs=clip_models.RESNET_KWARGS, pretrained=None)
RESNET = dict(
    backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
    neck=dict(type='GlobalAveragePooling'),
)
SCP_HEAD = dict(
    type='SCPHead',
    classes=CLASSES,
    prompter=dict(
        type='CrossModalityPrompter', text_encoder=dict(type='CLIPTextEncoder', **TINY)
    ),
    association=dict(num_layers=2, hidden_dims=16),
    label_graph=dict(type='StaticLabelGraph', source=None, topk=3),
    loss=dict(type='SPLCLoss'),
    dropout=0.5,
)
MODELS_TO_EXPORT = {
    'clip': dict(
        type='SCPNet',
        data_preprocessor=dict(to_rgb=True, **NORMALIZE),
        backbone=dict(type='OpenCLIPImageEncoder', **TINY),
        head=dict(in_channels=24, **SCP_HEAD),
    ),
    'projection, bias, learnt scale': dict(
        type='SCPNet',
        data_preprocessor=dict(to_rgb=True, **NORMALIZE),
        **RESNET,
        head=dict(
            in_channels=64,
            bias='per_class',
            bias_init=-2.0,
            learn_scale=True,
            **SCP_HEAD,
        ),
    ),
    'linear, BGR': dict(
        type='SCPNet',
        data_preprocessor=dict(to_rgb=False, **NORMALIZE),
        **RESNET,
        head=dict(
            type='IncompleteLabelLinearHead',
            classes=CLASSES,
            in_channels=64,
            dropout=0.5,
            loss=dict(type='SPLCLoss'),
        ),
    ),
    'mmpretrain, not normalised': dict(
        type='ImageClassifier',
        data_preprocessor=dict(to_rgb=True),
        **RESNET,
        head=dict(
            type='MultiLabelLinearClsHead',
            num_classes=5,
            in_channels=64,
            loss=dict(type='CrossEntropyLoss', use_sigmoid=True),
        ),
    ),
}


def build(config):
    init_default_scope('mmscpnet')
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    for name, value in model.named_buffers():
        if 'running' in name:
            value.copy_(torch.rand_like(value) + 0.5)
    return model


@pytest.mark.parametrize('config', MODELS_TO_EXPORT.values(), ids=MODELS_TO_EXPORT)
def test_same_probabilities(config):
    model = build(config).eval()
    bgr = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        batch = dict(inputs=bgr, data_samples=None)
        expected = torch.stack([s.pred_score for s in model.test_step(batch)])
        # Training mode and gradients are of no concern to the copy.
        model.train()
        found = ExportedModel(model)(bgr.flip(1).float())
    assert found.shape == (3, 5)
    assert torch.allclose(found, expected, atol=1e-6)
    assert expected.std() > 1e-3


def test_single_label_head_is_refused():
    config = dict(
        type='ImageClassifier',
        **RESNET,
        head=dict(
            type='LinearClsHead',
            num_classes=2,
            in_channels=64,
            loss=dict(type='CrossEntropyLoss'),
        ),
    )
    with pytest.raises(ValueError, match='multi-label head .* LinearClsHead'):
        ExportedModel(build(config))


def test_unknown_preprocessor_is_refused():
    model = build(MODELS_TO_EXPORT['linear, BGR'])
    model.data_preprocessor = torch.nn.Identity()
    with pytest.raises(ValueError, match='Identity has no to_rgb'):
        ExportedModel(model)
