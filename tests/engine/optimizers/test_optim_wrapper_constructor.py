import pytest
import torch
import torch.nn as nn

from mmscpnet.registry import OPTIM_WRAPPER_CONSTRUCTORS


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.association = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4))
        self.prompt = nn.Parameter(torch.zeros(4, 8))
        self.scale = nn.Parameter(torch.zeros(()))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.head = Head()
        self.header = nn.Linear(4, 2)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        # a bias of two dimensions is a bias still
        self.odd = nn.ParameterDict(dict(bias=nn.Parameter(torch.zeros(2, 2))))


def build(model=None, lr=3e-5, **paramwise):
    optimizer = dict(type='Adam', weight_decay=1e-4)
    if lr is not None:
        optimizer['lr'] = lr
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='SCPNetOptimWrapperConstructor',
            optim_wrapper_cfg=dict(type='OptimWrapper', optimizer=optimizer),
            paramwise_cfg=paramwise or None,
        )
    )
    return constructor(model or Net()).optimizer


def table(optimizer, model):
    names = {id(p): n for n, p in model.named_parameters()}
    return {
        group['name']: (
            group['lr'],
            group['weight_decay'],
            sorted(names[id(p)] for p in group['params']),
        )
        for group in optimizer.param_groups
    }


BASE = ['backbone.0.weight', 'head.prompt', 'header.weight']
BASE_NO_DECAY = [
    'backbone.0.bias',
    'backbone.1.bias',
    'backbone.1.weight',
    'head.scale',
    'header.bias',
    'odd.bias',
]
GCN = ['head.association.0.weight', 'head.association.1.weight']
GCN_NO_DECAY = ['head.association.1.bias']


def test_released_groups():
    model = Net()
    assert table(build(model, gcn_lr=2e-4), model) == dict(
        base=(3e-5, 1e-4, BASE),
        base_no_decay=(3e-5, 0.0, BASE_NO_DECAY),
        gcn=(2e-4, 1e-4, GCN),
        gcn_no_decay=(2e-4, 0.0, GCN_NO_DECAY),
    )


@pytest.mark.parametrize('paramwise', [dict(), dict(gcn_lr=None)])
def test_gcn_in_the_ordinary_group(paramwise):
    model = Net()
    groups = table(build(model, **paramwise), model)
    assert set(groups) == {'base', 'base_no_decay'}
    assert groups['base'][2] == sorted(BASE + GCN)


def test_every_trainable_parameter_once():
    model = Net()
    optimizer = build(model, gcn_lr=1e-5, lr_mult={'head': 10.0, 'backbone': 0.1})
    held = [id(p) for group in optimizer.param_groups for p in group['params']]
    assert sorted(held) == sorted(id(p) for p in model.parameters() if p.requires_grad)


def test_lr_mult_longest_prefix_and_group_order():
    model = Net()
    optimizer = build(model, lr=1e-5, lr_mult={'head': 10.0, 'head.association': 2.0})
    groups = table(optimizer, model)
    assert list(groups) == [
        'base',
        'base_no_decay',
        'lr_mult.head',
        'lr_mult.head_no_decay',
        'lr_mult.head.association',
        'lr_mult.head.association_no_decay',
    ]
    assert groups['lr_mult.head'][0] == pytest.approx(1e-4)
    assert groups['lr_mult.head'][2] == ['head.prompt']
    assert groups['lr_mult.head.association'][0] == pytest.approx(2e-5)
    assert 'header.weight' in groups['base'][2]


def test_decay_for_all():
    model = Net()
    groups = table(build(model, no_decay_1d=False), model)
    assert list(groups) == ['base']
    assert groups['base'][1] == 1e-4


def test_one_step_is_coupled_l2_of_the_released_recipe():
    model = Net()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 2.0)
        parameter.grad = torch.full_like(parameter, -1e-4)
    # gradient + 1e-4 * weight = +1e-4 with decay, -1e-4 without
    build(model, lr=1e-2).step()
    assert torch.allclose(model.header.weight, torch.tensor(2.0 - 1e-2), atol=1e-5)
    assert torch.allclose(model.header.bias, torch.tensor(2.0 + 1e-2), atol=1e-5)
    assert torch.equal(model.frozen.weight, torch.full((4, 4), 2.0))


@pytest.mark.parametrize(
    'paramwise,match',
    [
        (dict(gcn_lrr=1e-5), r"unknown keys \['gcn_lrr'\]"),
        (dict(gcn_lr=1e-5, gcn_prefix='head.gcn'), r"'head.association'"),
        (dict(gcn_lr=1e-5, gcn_prefix='graph'), r"'backbone', 'frozen', 'head'"),
        (dict(lr_mult={'neck': 1.0}), r"lr_mult\['neck'\]"),
        (dict(lr_mult={'hea': 1.0}), r"lr_mult\['hea'\]"),
        (dict(lr_mult={'head': 0}), 'must be > 0'),
        (dict(gcn_lr=-1), 'gcn_lr'),
        (dict(gcn_lr=1e-5, lr_mult={'head.association.0': 2.0}), 'one of the two'),
    ],
)
def test_refused_options(paramwise, match):
    with pytest.raises(ValueError, match=match):
        build(**paramwise)


def test_nothing_to_train_and_no_lr():
    with pytest.raises(ValueError, match='nothing to train'):
        build(Net().requires_grad_(False))
    with pytest.raises(ValueError, match='no lr'):
        build(lr=None)
