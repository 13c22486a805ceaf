"""Heads: the logits of Eq. 7, the losses of one to three views, and refusals."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from mmscpnet.models.heads import IncompleteLabelLinearHead, SCPHead
from mmscpnet.models.losses import SPLCLoss

CLASSES = ['cat', 'dog', 'sea', 'sky', 'sun']


def scp_head(in_channels=6, features=None, **kwargs):
    features = torch.randn(5, 6) if features is None else features
    settings = dict(
        prompter=dict(type='FixedLabelFeatures', features=features),
        association=dict(num_layers=2, hidden_dims=7),
        label_graph=dict(type='StaticLabelGraph', source=None, topk=3),
        loss=dict(type='SPLCLoss'),
        pessl=dict(hard_k=2, num_samples=8),
    )
    head = SCPHead(CLASSES, in_channels, **{**settings, **kwargs})
    head.init_weights()
    return head


def samples(count=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        DataSample(metainfo=dict(sample_idx=i)).set_gt_score(
            torch.randint(-1, 2, (5,), generator=generator)
        )
        for i in range(count)
    ]


def test_logits_are_the_scaled_cosine():
    head = scp_head(bias='per_class', bias_init=-1.0)
    feature = torch.randn(4, 6)
    refined = head.association(head.prompter(), head.label_graph())
    expected = 10 * F.cosine_similarity(feature[:, None], refined[None], dim=-1) - 1
    torch.testing.assert_close(head((feature,)), expected)


def test_without_association_the_features_are_matched_as_they_are():
    head = scp_head(association=None, pessl=None, label_graph=None, scale=3.0)
    feature = torch.randn(2, 6)
    expected = 3 * F.cosine_similarity(feature[:, None], head.prompter()[None], dim=-1)
    torch.testing.assert_close(head((feature,)), expected)


@pytest.mark.parametrize('in_channels', [6, 11])
def test_projection_where_the_width_differs(in_channels):
    head = scp_head(in_channels)
    has_layer = isinstance(head.projection, torch.nn.Linear)
    assert has_layer == (in_channels != 6)
    assert head((torch.randn(3, in_channels),)).shape == (3, 5)


def test_scale_is_fixed_or_learnt():
    assert not any('scale' in name for name, _ in scp_head().named_parameters())
    learnt = scp_head(scale=20.0, learn_scale=True, bias='shared')
    assert learnt.log_scale.exp().item() == pytest.approx(20)
    learnt((torch.randn(3, 6),)).sum().backward()
    assert learnt.log_scale.grad is not None and learnt.bias.grad.abs() > 0


@pytest.mark.parametrize('num_views', [2, 3])
def test_losses_are_those_of_the_right_views(num_views):
    head = scp_head()
    feats = torch.randn(num_views * 2, 6)
    data = samples()
    found = head.loss((feats,), data, num_views=num_views)
    logits = head((feats,)).chunk(num_views)
    targets = torch.stack([s.gt_score for s in data])
    torch.testing.assert_close(found['loss_cls'], SPLCLoss()(logits[0], targets, 0))
    fresh = scp_head()
    graph = head.label_graph().normalized
    expected = fresh.pessl(logits[-2], logits[-1], targets, torch.arange(2), graph)
    torch.testing.assert_close(found['loss_cst'], expected['loss_cst'])
    torch.testing.assert_close(found['loss_dstl'], expected['loss_dstl'])
    assert {'pseudo_labels', 'confident_images', 'mean_threshold'} <= set(found)


def test_the_epoch_reaches_splc():
    head = scp_head(pessl=None)
    feats, data = 5 * torch.randn(2, 6), samples()
    before = head.loss((feats,), data)['loss_cls']
    head.set_epoch(1)
    assert head.loss((feats,), data)['loss_cls'] != before


def test_another_graph_for_pessl_alone():
    dynamic = dict(type='DynamicLabelGraph', topk=2, with_grad=True)
    head = scp_head(features=torch.rand(5, 6), pessl_label_graph=dynamic)
    assert head.pessl_label_graph is not head.label_graph
    found = head.loss((torch.randn(4, 6),), samples(), num_views=2)
    assert torch.isfinite(found['loss_dstl'])
    everywhere = scp_head(features=torch.rand(5, 6), label_graph=dynamic)
    assert everywhere((torch.randn(4, 6),)).shape == (4, 5)


def test_linear_head_takes_the_same_losses():
    head = IncompleteLabelLinearHead(
        CLASSES,
        6,
        loss=dict(type='SPLCLoss'),
        pessl=dict(hard_k=2, num_samples=8),
        label_graph=dict(type='StaticLabelGraph', source=None, topk=3),
    )
    losses = head.loss((torch.randn(6, 6),), samples(), num_views=3)
    assert {'loss_cls', 'loss_cst', 'loss_dstl'} <= set(losses)


def test_losses_of_mmpretrain_take_full_labels_only():
    head = IncompleteLabelLinearHead(
        CLASSES, 6, loss=dict(type='CrossEntropyLoss', use_sigmoid=True)
    )
    feats = (torch.randn(1, 6),)
    full = [DataSample().set_gt_score(torch.tensor([1, 0, 0, 1, 0]))]
    expected = F.binary_cross_entropy_with_logits(
        head(feats), torch.tensor([[1.0, 0, 0, 1, 0]]), reduction='sum'
    )
    torch.testing.assert_close(head.loss(feats, full)['loss_cls'], expected)
    unknown = [DataSample().set_gt_score(torch.tensor([1, 0, -1, 1, 0]))]
    with pytest.raises(ValueError, match='CrossEntropyLoss does not understand'):
        head.loss(feats, unknown)


def test_predict():
    head = scp_head(thr=0.5)
    found = head.predict((torch.randn(2, 6),))
    assert found[0].pred_score.shape == (5,)
    assert (found[0].pred_score[found[0].pred_label] >= 0.5).all()


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(label_graph=None, pessl=None), 'association needs label_graph'),
        (dict(label_graph=None, association=None), 'pessl needs label_graph'),
        (dict(projection=False, in_channels=7), 'projection=False, but in_channels=7'),
        (dict(scale=0.0), 'scale must be a positive number'),
        (dict(scale='clip'), 'needs a prompter with a CLIPTextEncoder'),
        (dict(bias='all'), "found 'all'"),
        (
            dict(label_graph=dict(type='StaticLabelGraph', source=None, topk=6)),
            'topk=6',
        ),
    ],
)
def test_bad_settings(kwargs, message):
    with pytest.raises(ValueError, match=message):
        scp_head(**kwargs)


def test_bad_batches():
    head = scp_head()
    with pytest.raises(ValueError, match='1 view'):
        head.loss((torch.randn(2, 6),), samples())
    with pytest.raises(ValueError, match='4 view'):
        head.loss((torch.randn(8, 6),), samples(), num_views=4)
    with pytest.raises(ValueError, match='has no gt_score'):
        head.loss((torch.randn(2, 6),), [DataSample()], num_views=2)
    wrong = [DataSample().set_gt_score(torch.ones(3))]
    with pytest.raises(ValueError, match='3 labels, but the head has 5'):
        head.loss((torch.randn(2, 6),), wrong, num_views=2)
