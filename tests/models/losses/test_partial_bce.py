import math

import pytest
import torch

from mmscpnet.models.losses import PartialBCELoss


def test_by_hand():
    logits = torch.tensor([[math.log(3), 0.0, 5.0, 5.0], [0.0, 0.0, 0.0, 0.0]])
    targets = torch.tensor([[1, 0, -1, -1], [-1, 1, 0, 1]])
    first, second = math.log(4 / 3) + math.log(2), 3 * math.log(2)
    assert PartialBCELoss()(logits, targets).item() == pytest.approx(first + second)
    # g(1/2) = 5.45 - 4.45/2, g(3/4) = 5.45 - 4.45 * 3/4
    expected = 3.225 * first + 2.1125 * second
    found = PartialBCELoss(normalize=True)(logits, targets)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_weight_of_the_published_points():
    loss = PartialBCELoss(normalize=True)
    known = torch.zeros(3, 10, dtype=torch.bool)
    known[0, :1] = True
    known[1] = True
    assert loss.proportion_weight(known).tolist() == pytest.approx([5.005, 1.0, 0.0])


def test_nothing_known_with_a_negative_exponent():
    loss = PartialBCELoss(normalize=True, alpha=4 / 9, beta=5 / 9, gamma=-1)
    logits = torch.randn(2, 3, requires_grad=True)
    value = loss(logits, torch.full((2, 3), -1))
    value.backward()
    assert value.item() == 0 and not logits.grad.any()
