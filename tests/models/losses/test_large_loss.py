"""LargeLoss against a plain loop over the sorted losses of a batch."""

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


@pytest.mark.parametrize('options', [dict(scheme='LL'), dict(delta_rel=0)])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LargeLoss(**options)
