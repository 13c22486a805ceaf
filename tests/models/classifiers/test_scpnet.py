"""The whole model: on many backbones, against open_clip, and that it learns."""

import copy

import open_clip
import pytest
import torch
import torch.nn.functional as F
from mmengine.analysis import get_model_complexity_info
from mmengine.registry import init_default_scope
from mmpretrain.models import AverageClsScoreTTA
from mmpretrain.structures import DataSample

from mmscpnet.label_graph import build_label_graph, cosine_similarity
from mmscpnet.registry import MODELS
from tests.models.utils import clip_models

CLASSES = ['cat', 'traffic light', 'sea', 'sky', 'sun']


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmscpnet')
    torch.manual_seed(0)


def build(backbone, in_channels, neck=None, head=None, **kwargs):
    clip = dict(model='RN50', model_kwargs=clip_models.RESNET_KWARGS, pretrained=None)
    head = dict(
        type='SCPHead',
        classes=CLASSES,
        in_channels=in_channels,
        prompter=dict(
            type='CrossModalityPrompter',
            text_encoder=dict(type='CLIPTextEncoder', **clip),
        ),
        association=dict(num_layers=2, hidden_dims=16),
        label_graph=dict(type='StaticLabelGraph', source=None, topk=3),
        loss=dict(type='SPLCLoss'),
        pessl=dict(hard_k=2, num_samples=16),
        **(head or {}),
    )
    model = MODELS.build(
        dict(type='SCPNet', backbone=backbone, neck=neck, head=head, **kwargs)
    )
    model.init_weights()
    return model


def clip_net(**kwargs):
    backbone = dict(
        type='OpenCLIPImageEncoder',
        model='RN50',
        model_kwargs=clip_models.RESNET_KWARGS,
        pretrained=None,
    )
    return build(backbone, 24, **kwargs)


def samples(count):
    return [
        DataSample(metainfo=dict(sample_idx=i)).set_gt_score(
            torch.randint(-1, 2, (len(CLASSES),))
        )
        for i in range(count)
    ]


POOL = dict(type='GlobalAveragePooling')
BACKBONES = {
    'resnet50': (dict(type='ResNet', depth=50), 2048, POOL),
    'swin-t': (
        dict(type='SwinTransformer', arch='tiny', img_size=64, pad_small_map=True),
        768,
        POOL,
    ),
    'vit-b16': (
        dict(type='VisionTransformer', arch='b', img_size=64, patch_size=16),
        768,
        None,
    ),
    'convnext-t': (dict(type='ConvNeXt', arch='tiny'), 768, None),
    'mobilenetv3': (dict(type='MobileNetV3', arch='small'), 576, POOL),
    'timm': (dict(type='TIMMBackbone', model_name='resnet18'), 512, POOL),
}


@pytest.mark.parametrize('name', BACKBONES)
def test_any_backbone_of_mmpretrain(name):
    backbone, width, neck = BACKBONES[name]
    model = build(copy.deepcopy(backbone), width, neck)
    views = [torch.randn(2, 3, 64, 64) for _ in range(3)]
    losses = model(views, samples(2), mode='loss')
    total = sum(v for k, v in losses.items() if 'loss' in k)
    total.backward()
    assert torch.isfinite(total)
    moved = [p for p in model.backbone.parameters() if p.grad is not None]
    assert any(p.grad.abs().sum() > 0 for p in moved)
    assert model.head.prompter.context.grad.abs().sum() > 0
    model.eval()
    assert model(views[0], mode='tensor').shape == (2, len(CLASSES))


def test_modes_and_steps():
    model = clip_net()
    model.train()
    batch = dict(
        inputs=[[torch.rand(3, 64, 64) for _ in range(3)] for _ in range(4)],
        data_samples=samples(4),
    )
    from mmengine.optim import OptimWrapper

    parameters = [p for p in model.parameters() if p.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=1e-3))
    logs = model.train_step(batch, wrapper)
    assert {'loss', 'loss_cls', 'loss_cst', 'loss_dstl'} <= set(logs)
    model.eval()
    images = [torch.rand(3, 64, 64) for _ in range(3)]
    predicted = model.val_step(dict(inputs=images, data_samples=samples(3)))
    scores = torch.stack([sample.pred_score for sample in predicted])
    raw = model(torch.stack(images), mode='tensor')
    torch.testing.assert_close(scores, raw.sigmoid())


def test_equals_open_clip_called_directly():
    """Logits within 1e-5, gradients of the prompt within 1e-4 of all 77 positions."""
    model = clip_net(head=dict(scale=10.0))
    reference = clip_models.build(clip_models.RESNET_KWARGS)
    encoder = model.head.prompter.text_encoder
    model.backbone.visual.load_state_dict(reference.visual.state_dict())
    text_state = {
        k: v for k, v in reference.state_dict().items() if not k.startswith('visual')
    }
    missing = set(encoder.tower.state_dict()) - set(text_state) - {'attn_mask'}
    assert not missing
    encoder.tower.load_state_dict(
        {k: v for k, v in text_state.items() if k in encoder.tower.state_dict()}
    )
    model.head.prompter.init_weights()
    model.eval()

    # By hand: the soft tokens replace "a photo of a" in the full 77 positions.
    context = model.head.prompter.context.detach().clone().requires_grad_()
    texts = [f'a photo of a {name}.' for name in CLASSES]
    ids = open_clip.SimpleTokenizer()(texts)
    embedded = reference.token_embedding(ids).detach()
    embedded = torch.cat(
        [embedded[:, :1], context[0].expand(len(CLASSES), -1, -1), embedded[:, 5:]], 1
    )
    label = clip_models.encode_embeddings(reference, embedded, ids)
    graph = model.head.label_graph()
    hidden = label
    for index, weight in enumerate(model.head.association.weights):
        hidden = F.leaky_relu(graph.normalized @ hidden @ weight, 0.2)
        assert index < 2
    refined = label + hidden
    images = torch.randn(3, 3, 64, 64)
    image = reference.encode_image(images)
    expected = 10 * F.normalize(image, dim=-1) @ F.normalize(refined, dim=-1).t()

    found = model(images, mode='tensor')
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    weight = torch.randn_like(found)
    (want,) = torch.autograd.grad((expected * weight).sum(), context)
    (got,) = torch.autograd.grad((found * weight).sum(), model.head.prompter.context)
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


def test_graph_of_the_text_tower():
    clip = dict(model='RN50', model_kwargs=clip_models.RESNET_KWARGS, pretrained=None)
    source = dict(
        type='TextSource',
        text_encoder=dict(type='CLIPTextEncoder', **clip),
        templates='a photo of a {}',
    )
    torch.manual_seed(3)
    graph = MODELS.build(
        dict(type='StaticLabelGraph', classes=CLASSES, source=source, topk=3)
    )
    torch.manual_seed(3)
    graph.init_weights()
    torch.manual_seed(3)
    encoder = MODELS.build(source['text_encoder'])
    encoder.init_weights()
    features = encoder.encode([f'a photo of a {name}' for name in CLASSES])
    expected = build_label_graph(cosine_similarity(features), 3, 0.2, 0.2)
    torch.testing.assert_close(graph(), expected)


def test_frozen_backbone_does_not_move():
    model = clip_net(frozen_backbone=True)
    model.train()
    before = copy.deepcopy(model.backbone.state_dict())
    losses = model([torch.rand(2, 3, 64, 64)] * 3, samples(2), mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert all(p.grad is None for p in model.backbone.parameters())
    assert not any(m.training for m in model.backbone.modules())
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_features_go_straight_to_the_head():
    model = clip_net()
    model.eval()
    images = torch.randn(2, 3, 64, 64)
    feature = model.extract_feat(images)[-1]
    torch.testing.assert_close(model(feature), model(images))
    data = dict(inputs=list(feature), data_samples=samples(2))
    scores = torch.stack([s.pred_score for s in model.val_step(data)])
    torch.testing.assert_close(scores, model(images).sigmoid())


def test_tta_averages_scores():
    model = clip_net()
    model.eval()
    tta = AverageClsScoreTTA(module=model)
    views = [[torch.rand(3, 64, 64) for _ in range(2)] for _ in range(2)]
    data = dict(inputs=views, data_samples=[samples(2), samples(2)])
    merged = tta.test_step(data)
    single = [model.test_step(dict(inputs=v, data_samples=samples(2))) for v in views]
    expected = (single[0][1].pred_score + single[1][1].pred_score) / 2
    torch.testing.assert_close(merged[1].pred_score, expected)


def test_flops_amp_and_compile():
    model = clip_net()
    model.eval()
    info = get_model_complexity_info(model, (3, 64, 64), show_table=False)
    assert info['flops'] > 0
    images = torch.randn(2, 3, 64, 64)
    exact = model(images)
    with torch.autocast('cpu', torch.bfloat16):
        half = model(images)
        losses = model([images] * 3, samples(2), mode='loss')
    assert half.dtype == torch.float32 and torch.isfinite(losses['loss_cst'])
    torch.testing.assert_close(half, exact, atol=0.3, rtol=0.1)
    compiled = torch.compile(model, backend='eager')
    torch.testing.assert_close(compiled(images), exact)


def test_sixteen_photos_can_be_learnt():
    """mAP over 0.99 within 60 steps, and prompts, GCN and backbone all move."""
    from mmscpnet.evaluation import multilabel_average_precision

    model = clip_net(head=dict(scale=10.0))
    model.train()
    images = F.interpolate(2 * torch.randn(16, 3, 4, 4), 64)
    targets = (torch.rand(16, 5) < 0.4).long()
    targets[:, targets.sum(0) == 0] = 1
    data = [
        DataSample(metainfo=dict(sample_idx=i)).set_gt_score(row)
        for i, row in enumerate(targets)
    ]
    parts = dict(
        prompts=model.head.prompter.context,
        gcn=model.head.association.weights[0],
        backbone=model.backbone.visual.conv1.weight,
    )
    before = {name: p.detach().clone() for name, p in parts.items()}
    frozen = model.head.prompter.text_encoder.state_dict()
    frozen = {name: value.clone() for name, value in frozen.items()}
    optimizer = torch.optim.Adam(
        [p for p in model.parameters() if p.requires_grad], lr=1e-3
    )
    for _ in range(60):
        losses = model([images] * 3, data, mode='loss')
        optimizer.zero_grad()
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        optimizer.step()
    scores = model(images, mode='tensor').sigmoid()
    assert multilabel_average_precision(scores.detach(), targets).mean() > 0.99
    for name, parameter in parts.items():
        assert (parameter - before[name]).abs().max() > 1e-4, name
    for name, value in model.head.prompter.text_encoder.state_dict().items():
        assert torch.equal(value, frozen[name]), name


def test_batch_augments_are_refused():
    with pytest.raises(ValueError, match='mixup'):
        clip_net(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))
