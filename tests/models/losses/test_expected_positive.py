import math

import pytest
import torch
from torch import nn

from mmscpnet.models.losses import EPRLoss, ROLELoss


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def known(logits, targets):
    total = 0.0
    for row, labels in zip(logits, targets):
        for x, y in zip(row, labels):
            if y != -1:
                total -= math.log(sigmoid(x) if y == 1 else 1 - sigmoid(x))
    return total


def regularizer(logits, k):
    counts = [sum(sigmoid(x) for x in row) for row in logits]
    c = len(logits[0])
    return len(logits) * c * ((sum(counts) / len(counts) - k) / c) ** 2


LOGITS = [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]
TARGETS = [[1, -1, -1], [-1, 1, 0]]


def test_epr_by_hand():
    expected = 3 * (known(LOGITS, TARGETS) + 0.5 * regularizer(LOGITS, 1.5))
    loss = EPRLoss(1.5, regularizer_weight=0.5, loss_weight=3)
    found = loss(torch.tensor(LOGITS), torch.tensor(TARGETS))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_role_by_hand():
    loss = ROLELoss(1.5, num_samples=5, num_classes=3)
    start = loss.estimates.detach().view(5, 3).clone()
    assert start.abs().max() <= math.log(1.5)
    idx = torch.tensor([4, 1])
    logits = torch.tensor(LOGITS, requires_grad=True)
    value = loss(logits, torch.tensor(TARGETS), 0, idx)

    estimates = start[idx].tolist()
    for row, labels in zip(estimates, TARGETS):
        for c, y in enumerate(labels):
            if y != -1:
                row[c] = math.log(199) * (1 if y == 1 else -1)
    rows = loss.estimates.detach().view(5, 3)
    torch.testing.assert_close(rows[idx], torch.tensor(estimates))
    assert torch.equal(rows[[0, 2, 3]], start[[0, 2, 3]])

    def cross(own, other):
        total = 0.0
        for a, b in zip(own, other):
            for x, y in zip(a, b):
                q = sigmoid(y)
                total -= q * math.log(sigmoid(x)) + (1 - q) * math.log(1 - sigmoid(x))
        return total

    expected = 0.0
    for own, other in ((LOGITS, estimates), (estimates, LOGITS)):
        expected += cross(own, other) + known(own, TARGETS) + regularizer(own, 1.5)
    assert value.item() == pytest.approx(expected / 2, rel=1e-5)

    value.backward()
    gradient = loss.estimates.grad.view(5, 3)
    assert gradient[idx].any() and not gradient[[0, 2, 3]].any()
    assert logits.grad.any()


def test_role_learns_missing_labels():
    """Two groups of photos that share their labels, one known positive each."""
    torch.manual_seed(0)
    truth = torch.tensor([[1, 1, 0, 0]] * 8 + [[0, 0, 1, 1]] * 8)
    features = truth[:, [0, 2]].float() + 0.1 * torch.randn(16, 2)
    targets = torch.full((16, 4), -1)
    for i in range(16):
        targets[i, truth[i].nonzero().flatten()[i % 2]] = 1
    model = nn.Linear(2, 4)
    loss = ROLELoss(expected_positives=2.0)
    loss.set_num_samples(16, 4)
    optimizer = torch.optim.Adam(
        [dict(params=model.parameters()), dict(params=loss.parameters(), lr=0.1)],
        lr=0.01,
    )
    for _ in range(300):
        value = loss(model(features), targets, 0, torch.arange(16))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert torch.equal((model(features) > 0).long(), truth)
    assert torch.equal((loss.estimates.view(16, 4) > 0).long(), truth)


def test_known_labels_enter_the_estimates_once():
    loss = ROLELoss(1.0, num_samples=1, num_classes=2)
    targets, idx = torch.tensor([[1, -1]]), torch.tensor([0])
    loss(torch.zeros(1, 2), targets, 0, idx)
    loss.estimates.data[0] = 0.25
    loss(torch.zeros(1, 2), targets, 0, idx)
    assert loss.estimates[0].item() == 0.25


def test_a_model_for_testing_takes_the_estimates():
    trained = ROLELoss(1.0, num_samples=7, num_classes=2)
    tested = ROLELoss(1.0)
    tested.load_state_dict(trained.state_dict())
    assert torch.equal(tested.estimates, trained.estimates)


def test_sizes_come_together():
    with pytest.raises(ValueError, match='given together'):
        ROLELoss(1.0, num_samples=3)


def test_weight_decay_spares_the_estimates():
    from mmscpnet.engine import SCPNetOptimWrapperConstructor

    model = nn.Module()
    model.head = nn.Linear(3, 2)
    model.head.loss_module = ROLELoss(1.0, num_samples=4, num_classes=2)
    wrapper = SCPNetOptimWrapperConstructor(
        dict(
            type='OptimWrapper', optimizer=dict(type='Adam', lr=1.0, weight_decay=0.1)
        ),
        dict(lr_mult={'head.loss_module': 10}),
    )(model)
    (group,) = [
        group
        for group in wrapper.param_groups
        if any(p is model.head.loss_module.estimates for p in group['params'])
    ]
    assert group['lr'] == 10 and group['weight_decay'] == 0
