import math

import pytest
import torch

from mmscpnet.models.losses import GeneralizedRobustLoss


def slow(x, y, epoch, total):
    """The released schedule: epochs counted from 1."""
    p = 1 / (1 + math.exp(-x))
    if y != -1:
        return -math.log(p if y == 1 else 1 - p)
    number = epoch + 1
    w = 0 + (2 - 0) * max(number - 1, 0) / total
    b = -2
    mu = 0.5 + (0.8 - 0.5) * number / total
    sigma = 2 + (0.5 - 2) * number / total
    k = 1 / (1 + math.exp(-(w * p + b)))
    v = math.exp(-0.5 * ((p - mu) / sigma) ** 2)
    return v * (k * (1 - p**0.01) / 0.01 + (1 - k) * p)


@pytest.mark.parametrize('epoch', [0, 3, 7])
def test_equals_the_slow_reference(epoch):
    generator = torch.Generator().manual_seed(epoch)
    logits = 2 * torch.randn(4, 5, generator=generator, dtype=torch.float64)
    targets = torch.randint(-1, 2, (4, 5), generator=generator)
    expected = sum(
        slow(x, y, epoch, 8)
        for x, y in zip(logits.flatten().tolist(), targets.flatten().tolist())
    )
    found = GeneralizedRobustLoss(max_epochs=8)(logits, targets, epoch)
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    'epoch, expected',
    [
        # Known: -ln 3/4 = 0.287682 (positive, p = 3/4), -ln 1/2 = 0.693147 (negative).
        # Unknown, p = 1/2: as positive (1 - 1/4)/2 = 3/8, as negative 1 - 1/2 = 1/2.
        # Epoch 0 of 2, start of w and b: k = sigmoid(0/2 - ln 3) = 1/4. Halfway from
        # 0 to 1, mu = 1/2 = p: v = 1. So 1/4 x 3/8 + 3/4 x 1/2 = 0.468750.
        (0, 1.449579),
        # Epoch 1 of 2, halfway of w: k = sigmoid(2 ln 3 / 2 - ln 3) = 1/2. End of mu
        # and sigma: v = exp(-(1/2 - 1)^2 / (2 x 1/4)) = exp(-1/2) = 0.606531. So
        # 0.606531 x (1/2 x 3/8 + 1/2 x 1/2) = 0.606531 x 0.4375 = 0.265357.
        (1, 1.246186),
    ],
)
def test_by_hand(epoch, expected):
    loss = GeneralizedRobustLoss(
        max_epochs=2,
        slope=(0, 4 * math.log(3)),
        offset=(-math.log(3), -math.log(3)),
        center=(0, 1),
        width=(1.5, 0.5),
        q_pos=2,
        q_neg=1,
    )
    logits = torch.tensor([[math.log(3), 0, 0]], dtype=torch.float64)
    found = loss(logits, torch.tensor([[1, 0, -1]]), epoch)
    assert found.item() == pytest.approx(expected, abs=2e-6)


def test_pseudo_label_and_weight_are_constants():
    logits = torch.tensor([[0.0]], dtype=torch.float64, requires_grad=True)
    loss = GeneralizedRobustLoss(max_epochs=8)
    loss(logits, torch.tensor([[-1]])).backward()
    p, k = 0.5, 1 / (1 + math.exp(2))
    v = math.exp(-0.5 * ((p - 0.5375) / 1.8125) ** 2)
    slope = v * (-k * p**0.01 * (1 - p) + (1 - k) * p * (1 - p))
    assert logits.grad.item() == pytest.approx(slope, rel=1e-9)


def test_options_are_checked():
    with pytest.raises(ValueError, match='width'):
        GeneralizedRobustLoss(10, width=(1.0, 0.0))
