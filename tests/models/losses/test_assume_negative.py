import math

import pytest
import torch

from mmscpnet.models.losses import LabelSmoothingANLoss, WeakAssumeNegativeLoss

# p = 3/4, 1/4, 1/2, 1/5
LOGITS = torch.tensor([[math.log(3), -math.log(3), 0.0, -math.log(4)]])
TARGETS = torch.tensor([[1, 0, -1, -1]])


def test_weak_assume_negative_by_hand():
    expected = math.log(4 / 3) + math.log(4 / 3) + (math.log(2) + math.log(5 / 4)) / 3
    found = WeakAssumeNegativeLoss()(LOGITS, TARGETS)
    assert found.item() == pytest.approx(expected, rel=1e-6)
    half = WeakAssumeNegativeLoss(negative_weight=0.5, loss_weight=2)
    expected = 4 * math.log(4 / 3) + math.log(2) + math.log(5 / 4)
    assert half(LOGITS, TARGETS).item() == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_by_hand():
    def cost(p, target):
        return -(target * math.log(p) + (1 - target) * math.log(1 - p))

    expected = cost(0.75, 0.95) + cost(0.25, 0.05) + cost(0.5, 0.05) + cost(0.2, 0.05)
    found = LabelSmoothingANLoss()(LOGITS, TARGETS)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_epsilon_is_checked():
    with pytest.raises(ValueError, match='epsilon'):
        LabelSmoothingANLoss(epsilon=1)
