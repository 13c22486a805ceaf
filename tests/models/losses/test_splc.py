"""SPLC by hand, against plain loops and against the released numbers."""

import math

import numpy as np
import pytest
import torch

from mmscpnet.models.losses import AssumeNegativeLoss, SPLCLoss
from tests.shared import shared_file


def slow_splc(logits, targets, epoch, tau=0.6, change=1, margin=1.0, gamma=2.0):
    total = 0.0
    for row, labels in zip(logits.tolist(), targets.tolist()):
        for x, y in zip(row, labels):
            positive = y == 1
            if positive:
                x -= margin
            elif y == -1 and epoch >= change and 1 / (1 + math.exp(-x)) > tau:
                positive = True
            p = 1 / (1 + math.exp(-x))
            likelihood = p if positive else 1 - p
            total -= (1 - likelihood) ** gamma * math.log(likelihood)
    return total


@pytest.mark.parametrize('epoch', [0, 1, 7])
@pytest.mark.parametrize('shape', [(1, 1), (3, 2), (4, 81)])
def test_equals_the_slow_reference(epoch, shape):
    generator = torch.Generator().manual_seed(epoch)
    logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.randint(-1, 2, shape, generator=generator)
    found = SPLCLoss()(logits, targets, epoch)
    assert found.item() == pytest.approx(slow_splc(logits, targets, epoch), rel=1e-9)


def test_by_hand():
    # The margin takes the positive to p = 3/4; negative 3/4, unknown 3/4 and 1/2.
    logits = torch.tensor([[1 + math.log(3), math.log(3), math.log(3), 0.0]])
    targets = torch.tensor([[1, 0, -1, -1]])
    # -ln 3/4 = 0.287682, -ln 1/4 = 1.386294, -ln 1/2 = 0.693147:
    # 0.287682/16 + 1.386294 x 9/16 + 1.386294 x 9/16 + 0.693147/4
    # = 0.017980 + 0.779791 + 0.779791 + 0.173287
    assert SPLCLoss()(logits, targets, 0).item() == pytest.approx(1.750848, abs=2e-6)
    # The unknown 3/4 exceeds 0.6 and is positive now: 0.017980 in place of 0.779791.
    assert SPLCLoss()(logits, targets, 1).item() == pytest.approx(0.989038, abs=2e-6)


def test_released_numbers():
    golden = np.load(shared_file('golden/voc.npz'))
    logits = torch.from_numpy(golden['splc_logits'])
    # The released code writes 0 for what it does not know.
    targets = torch.from_numpy(golden['splc_targets']).clone()
    targets[targets == 0] = -1
    for epoch in (0, 1):
        expected = golden[f'splc_loss_e{epoch}'].item()
        assert SPLCLoss()(logits, targets, epoch).item() == pytest.approx(
            expected, rel=1e-5
        )


def test_only_unknown_labels_are_corrected():
    logits = torch.tensor([[4.0, 4.0]])
    known_negative = SPLCLoss()(logits, torch.tensor([[0, 0]]), 5)
    unknown = SPLCLoss()(logits, torch.tensor([[-1, -1]]), 5)
    before = SPLCLoss()(logits, torch.tensor([[-1, -1]]), 0)
    assert torch.equal(known_negative, before)
    assert unknown < 0.01 * known_negative


def test_gradient():
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1, 0, -1, -1], [0, 0, 1, -1], [-1, -1, -1, -1]])
    for epoch in (0, 1):
        assert torch.autograd.gradcheck(
            lambda x, e=epoch: SPLCLoss()(x, targets, e), logits
        )


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[80.0, -80.0, 80.0]], requires_grad=True)
    loss = SPLCLoss()(logits, torch.tensor([[0, 1, -1]]), 3)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()


def test_tau_is_checked():
    with pytest.raises(ValueError, match='tau'):
        SPLCLoss(tau=1.0)


def test_assume_negative_takes_unknown_for_negative():
    logits = torch.tensor([[0.5, -1.0, 2.0]])
    loss = AssumeNegativeLoss()(logits, torch.tensor([[1, 0, -1]]))
    expected = (
        math.log(1 + math.exp(-0.5))
        + math.log(1 + math.exp(-1.0))
        + math.log(1 + math.exp(2.0))
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)
