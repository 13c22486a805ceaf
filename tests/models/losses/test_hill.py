import math

import pytest
import torch

from mmscpnet.models.losses import HillLoss


def test_by_hand():
    # p = 0.8 for the unknown, 0.2 for the negative; the positive has x - 1 = 0
    logits = torch.tensor([[1.0, math.log(4), -math.log(4)]])
    targets = torch.tensor([[1, -1, 0]])
    expected = 0.25 * math.log(2) + 0.7 * 0.64 + 1.3 * 0.04
    assert HillLoss()(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_gradient_falls_where_a_positive_is_likely():
    logits = torch.tensor([[0.5, 1.5, 4.0]], requires_grad=True)
    HillLoss()(logits, torch.tensor([[-1, -1, -1]])).backward()
    gradient = logits.grad[0]
    assert gradient[0] > gradient[1] > gradient[2] > 0
