"""LargeLoss by hand, and against a loop over the sorted losses of a batch."""

import math

import pytest
import torch

from mmscpnet.models.losses import LargeLoss


def slow(logits, targets, scheme, epoch, delta, corrected=()):
    """Loss and the (row, class) pairs that LL-Cp corrects from now on."""
    softplus = lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0)  # noqa: E731
    entries = []
    for i, (row, labels) in enumerate(zip(logits, targets)):
        for j, (x, y) in enumerate(zip(row, labels)):
            positive = y == 1 or (i, j) in corrected
            unknown = y == -1 and (i, j) not in corrected
            entries.append([softplus(-x if positive else x), unknown, x, (i, j)])
    flipped = set(corrected)
    if epoch > 0:
        steps = 1 if scheme == 'LL-Cp' else epoch
        count = math.ceil(len(entries) * steps * delta / 100)
        losses = sorted((e[0] for e in entries if e[1]), reverse=True)
        threshold = losses[count - 1] if count <= len(losses) else -math.inf
        for entry in entries:
            if entry[1] and entry[0] >= threshold:
                if entry[0] > threshold:
                    flipped.add(entry[3])
                entry[0] = 0.0 if scheme == 'LL-R' else softplus(-entry[2])
    return sum(e[0] for e in entries), flipped


@pytest.mark.parametrize('epoch', [0, 1, 3])
@pytest.mark.parametrize('scheme', ['LL-R', 'LL-Ct'])
@pytest.mark.parametrize('delta', [0.2, 10])
def test_rejection_and_temporary_correction(scheme, epoch, delta):
    generator = torch.Generator().manual_seed(epoch)
    logits = torch.randn(6, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(-1, 2, (6, 7), generator=generator)
    expected, _ = slow(logits.tolist(), targets.tolist(), scheme, epoch, delta)
    found = LargeLoss(scheme, delta)(logits, targets, epoch)
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_permanent_correction():
    loss = LargeLoss('LL-Cp', delta_rel=10)
    loss.set_num_samples(9, 7)
    idx = torch.tensor([8, 0, 4, 5])
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(-1, 2, (4, 7), generator=generator)
    corrected: set = set()
    for epoch in (0, 1, 1, 2):
        logits = torch.randn(4, 7, generator=generator, dtype=torch.float64)
        expected, corrected = slow(
            logits.tolist(), targets.tolist(), 'LL-Cp', epoch, 10, corrected
        )
        found = loss(logits, targets, epoch, idx)
        assert found.item() == pytest.approx(expected, rel=1e-9)
    assert len(corrected) > 3  # three at a time, the threshold itself is not kept
    assert all(targets[i, j] == -1 for i, j in corrected)
    assert loss.state.counts.sum() == len(corrected)


def test_known_negatives_are_never_large():
    logits = torch.tensor([[9.0, 1.0]])
    targets = torch.tensor([[0, -1]])
    found = LargeLoss('LL-R', delta_rel=50)(logits, targets, 1)
    assert found.item() == pytest.approx(9.0001234, rel=1e-5)


# In units of ln 2 = 0.693147 the labels cost, as positive (+) or negative (-),
#     +p = 1/2: 1    -p = 3/4: 2    -p = 7/8: 3
#     -p = 15/16: 4  -p = 1/2: 1    +p = 1/2: 1    together 12 ln 2 = 8.317766
# The largest is a known negative. The two large unknown ones cost as positive
#     -ln 7/8 = 0.133531 and -ln 3/4 = 0.287682.
LOGITS = torch.tensor(
    [[0.0, math.log(3), math.log(7)], [math.log(15), 0.0, 0.0]], dtype=torch.float64
)
TARGETS = torch.tensor([[1, -1, -1], [0, -1, 1]])


@pytest.mark.parametrize(
    'scheme, epoch, expected',
    [
        ('LL-R', 0, 8.317766),
        # 6 labels x 1 x 16% = 0.96, rounded up 1: without p = 7/8, 9 ln 2
        ('LL-R', 1, 6.238325),
        # 6 x 2 x 16% = 1.92, rounded up 2: without p = 3/4 too, 7 ln 2
        ('LL-R', 2, 4.852030),
        ('LL-Ct', 0, 8.317766),
        ('LL-Ct', 1, 6.371856),  # 6.238325 + 0.133531
        ('LL-Ct', 2, 5.273244),  # 4.852030 + 0.133531 + 0.287682
    ],
)
def test_rejection_and_temporary_correction_by_hand(scheme, epoch, expected):
    found = LargeLoss(scheme, delta_rel=16)(LOGITS, TARGETS, epoch)
    assert found.item() == pytest.approx(expected, abs=2e-6)


def test_a_known_negative_is_kept_where_an_unknown_one_is_rejected():
    unknown = torch.where(TARGETS == 0, -1, TARGETS)
    found = LargeLoss('LL-R', delta_rel=16)(LOGITS, unknown, 1)
    assert found.item() == pytest.approx(5.545177, abs=2e-6)  # (12 - 4) ln 2


def test_permanent_correction_by_hand():
    loss = LargeLoss('LL-Cp', delta_rel=32)  # 6 x 32% = 1.92: two in each epoch
    loss.set_num_samples(2, 3)
    idx = torch.tensor([1, 0])
    assert loss(LOGITS, TARGETS, 0, idx).item() == pytest.approx(8.317766, abs=2e-6)
    # As LL-Ct with two; R is the cost of p = 3/4, so only p = 7/8 stays corrected.
    assert loss(LOGITS, TARGETS, 1, idx).item() == pytest.approx(5.273244, abs=2e-6)
    assert loss.state.counts.tolist() == [0, 0, 1]
    later = LOGITS.clone()
    later[0, 2], later[1, 1] = -math.log(3), math.log(7)
    # Corrected before, p = 1/4: 2 ln 2. Corrected now: p = 3/4 and 7/8 as above.
    # Untouched: 1 + 4 + 1. So 8 ln 2 + 0.287682 + 0.133531.
    assert loss(later, TARGETS, 2, idx).item() == pytest.approx(5.966391, abs=2e-6)
    assert loss.state.counts.tolist() == [0, 1, 1]


@pytest.mark.parametrize('options', [dict(scheme='LL'), dict(delta_rel=0)])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LargeLoss(**options)
