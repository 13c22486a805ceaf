import pytest
import torch
import torch.nn as nn

from mmscpnet.engine.averaged_model import AveragedState, named_state


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0]))
        self.register_buffer('mean', torch.tensor([10.0]))
        self.register_buffer('count', torch.tensor(0))
        self.register_buffer('mask', torch.tensor([0.0, float('-inf')]))
        self.register_buffer('derived', torch.tensor([7.0]), persistent=False)
        self.store = object()

    def share_in_ema(self, source):
        self.store = source.store

    def get_extra_state(self):
        raise AssertionError('extra state is not for the average')


def step(net, weight, mean):
    with torch.no_grad():
        net.weight.fill_(weight)
        net.mean.fill_(mean)
        net.count += 1


def test_hand_computed_table():
    net = Net()
    average = AveragedState(net, decay=0.75)
    # (weight, mean) of the model -> of the average; start 1, 10
    table = [
        ((5.0, 14.0), (2.0, 11.0)),
        ((6.0, 3.0), (3.0, 9.0)),
        ((-1.0, 9.0), (2.0, 9.0)),
    ]
    for i, (model, expected) in enumerate(table):
        step(net, *model)
        average.update_parameters(net)
        assert average.module.weight.item() == pytest.approx(expected[0])
        assert average.module.mean.item() == pytest.approx(expected[1])
        assert average.module.count.item() == i + 1
        assert torch.equal(average.module.mask, torch.tensor([0.0, float('-inf')]))
    assert average.steps.item() == 3


def test_constant_weights_do_not_drift():
    torch.manual_seed(0)
    net = nn.Linear(50, 50)
    average = AveragedState(net, decay=0.99969)
    for _ in range(300):
        average.update_parameters(net)
    assert torch.equal(average.module.weight, net.weight)


def test_frozen_parameters_join_once_they_train():
    net = Net()
    net.weight.requires_grad_(False)
    average = AveragedState(net, decay=0.75)
    average.update_parameters(net)
    assert average.module.weight._version == 0  # no work was done
    net.weight.requires_grad_(True)
    step(net, 5.0, 10.0)
    average.update_parameters(net)
    assert average.module.weight.item() == 2.0


def test_swap_is_in_place_and_noticed():
    net = Net()
    average = AveragedState(net, decay=0.5)
    step(net, 3.0, 0.0)
    net.derived.fill_(8.0)
    average.update_parameters(net)
    weight, version = net.weight, net.weight._version
    average.swap_with(net)
    assert net.weight is weight and weight._version > version
    assert (net.weight.item(), net.mean.item()) == (2.0, 5.0)
    assert (average.module.weight.item(), average.module.mean.item()) == (3.0, 0.0)
    assert net.derived.item() == 8.0  # not persistent: not a weight
    average.swap_with(net)
    assert (net.weight.item(), net.mean.item()) == (3.0, 0.0)


def test_state_is_shared_and_named():
    net = Net()
    average = AveragedState(net, decay=0.5)
    assert average.module.store is net.store
    assert [n for n, _ in named_state(net)] == ['weight', 'mean', 'count', 'mask']


def test_named_state_of_nested_modules_takes_tied_weights_once():
    net = nn.ModuleDict(dict(a=nn.Linear(2, 2), inner=nn.ModuleDict(dict(b=Net()))))
    net['c'] = net['a']
    names = [name for name, _ in named_state(net)]
    assert names == [
        'a.weight',
        'a.bias',
        'inner.b.weight',
        'inner.b.mean',
        'inner.b.count',
        'inner.b.mask',
    ]


def test_load_average_refuses_what_does_not_fit():
    average = AveragedState(nn.Linear(2, 3), decay=0.5)
    with pytest.raises(ValueError, match='weight .missing.'):
        average.load_average(dict(bias=torch.zeros(3)))
    with pytest.raises(ValueError, match=r'weight \(\(3, 3\).*\(3, 2\)'):
        average.load_average(dict(weight=torch.zeros(3, 3), bias=torch.zeros(3)))
    average.load_average(dict(weight=torch.ones(3, 2), bias=torch.ones(3)))
    assert average.module.weight.sum().item() == 6


@pytest.mark.parametrize('decay', [0, 1, -0.1, 1.5])
def test_refused_decay(decay):
    with pytest.raises(ValueError, match='decay'):
        AveragedState(nn.Linear(1, 1), decay=decay)
