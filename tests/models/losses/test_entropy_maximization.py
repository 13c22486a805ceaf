import math

import pytest
import torch

from mmscpnet.models.losses import EntropyMaximizationLoss
from mmscpnet.models.losses.entropy_maximization import add_pseudo_negatives

NAN = math.nan


def test_entropy_by_hand():
    # p = 3/4, 1/4, 1/5
    logits = torch.tensor([[math.log(3), -math.log(3), -math.log(4)]])
    targets = torch.tensor([[1, 0, -1]])
    entropy = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8))
    expected = 2 * math.log(4 / 3) - 0.3 * entropy
    found = EntropyMaximizationLoss(alpha=0.3)(logits, targets)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_pseudo_negatives_by_hand():
    predictions = torch.tensor(
        [[0.1, 0.5], [0.2, 0.25], [0.3, NAN], [NAN, 0.75], [0.4, 0.0]]
    )
    first = add_pseudo_negatives(predictions, torch.full((5, 2), NAN), 0.5)
    # two of four unknown labels of each class, those with the lowest predictions
    expected = torch.tensor(
        [[0.1, NAN], [0.2, 0.25], [NAN, NAN], [NAN, NAN], [NAN, 0.0]]
    )
    torch.testing.assert_close(first, expected, equal_nan=True)
    later = torch.tensor([[0.9, 0.6], [0.9, 0.9], [0.5, NAN], [NAN, 0.1], [0.4, 0.9]])
    second = add_pseudo_negatives(later, first, 0.25)
    # one more of each class; what is labelled keeps its label
    expected[4, 0], expected[3, 1] = 0.4, 0.1
    torch.testing.assert_close(second, expected, equal_nan=True)
    again = add_pseudo_negatives(later, second, 0.1)  # less than one label
    torch.testing.assert_close(again, second, equal_nan=True)


def test_rounds_of_a_training():
    loss = EntropyMaximizationLoss(
        alpha=0.1, beta=0.5, neg_proportion=0.5, warmup_epochs=1, max_epochs=3
    )
    loss.set_num_samples(5, 1)
    targets = torch.tensor([[1], [-1], [-1], [-1], [-1]])
    idx = torch.tensor([4, 0, 1, 2, 3])
    logits = torch.tensor([[2.0], [-3.0], [-1.0], [0.0], [1.0]])
    em = EntropyMaximizationLoss(alpha=0.1)(logits, targets).item()
    assert loss(logits, targets, 0, idx).item() == pytest.approx(em)
    # Epoch 1: a quarter of the four, the least probable, at its last prediction.
    values = [loss(logits, targets, 1, idx).item() for _ in range(2)]
    assert values[0] == values[1]
    p = 1 / (1 + math.exp(3))
    cross = -(p * math.log(p) + (1 - p) * math.log(1 - p))
    assert values[0] == pytest.approx(em + 0.1 * cross + 0.5 * cross, rel=1e-3)
    assert loss.records[1].isfinite().flatten().tolist() == [True] + 4 * [False]
    loss(logits, targets, 2, idx)
    assert loss.records[1].isfinite().sum() == 2  # half of them in the last epoch


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(beta=0.1, warmup_epochs=10), 'warmup_epochs'),
        (dict(neg_proportion=0), 'neg_proportion'),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        EntropyMaximizationLoss(**options)
