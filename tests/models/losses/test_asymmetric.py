import math

import numpy as np
import pytest
import torch

from mmscpnet.models.losses import PartialAsymmetricLoss, PartialFocalLoss


def slow(logits, targets, unknown, gammas, clip, topk=5, ignored=()):
    entries = []
    for row, labels in zip(logits, targets):
        for c, (x, y) in enumerate(zip(row, labels)):
            p = 1 / (1 + math.exp(-x))
            likelihood = p if y == 1 else min(1, 1 - p + clip)
            cost = -((1 - likelihood) ** gammas[y]) * math.log(likelihood)
            entries.append([x, y, c, cost])
    if unknown == 'ignore':
        return sum(e[3] for e in entries if e[1] != -1)
    if unknown == 'negative':
        return sum(e[3] for e in entries)
    candidates = sorted((e for e in entries if e[1] == -1), key=lambda e: -e[0])
    out = candidates[: topk * len(logits)]
    return sum(
        e[3]
        for e in entries
        if not (e[1] == -1 and (e[2] in ignored or any(e is o for o in out)))
    )


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(3)
    logits = 2 * torch.randn(5, 9, generator=generator, dtype=torch.float64)
    return logits, torch.randint(-1, 2, (5, 9), generator=generator)


@pytest.mark.parametrize('unknown', ['ignore', 'negative', 'selective'])
@pytest.mark.parametrize('topk', [1, 2, 100])
def test_asymmetric_loss(problem, unknown, topk):
    logits, targets = problem
    loss = PartialAsymmetricLoss(unknown, 1, 3, 2, likelihood_topk=topk)
    gammas = {1: 1, 0: 3, -1: 2}
    expected = slow(logits.tolist(), targets.tolist(), unknown, gammas, 0.05, topk)
    assert loss(logits, targets).item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize('as_file', [False, True])
def test_prior(problem, tmp_path, as_file):
    logits, targets = problem
    prior = [0.0, 0.9, 0.5, 0.6, 0, 0, 0, 0, 1.0]
    if as_file:
        np.save(tmp_path / 'prior.npy', np.array(prior))
    loss = PartialAsymmetricLoss(
        prior=str(tmp_path / 'prior.npy') if as_file else prior, likelihood_topk=1
    )
    gammas = {1: 0, 0: 4, -1: 4}
    expected = slow(
        logits.tolist(), targets.tolist(), 'selective', gammas, 0.05, 1, {1, 3, 8}
    )
    assert loss(logits, targets).item() == pytest.approx(expected, rel=1e-7)
    with pytest.raises(ValueError, match='prior has 9 entries for 3 classes'):
        loss(logits[:, :3], targets[:, :3])


def test_focal_loss(problem):
    logits, targets = problem
    gammas = {1: 2, 0: 2, -1: 2}
    expected = slow(logits.tolist(), targets.tolist(), 'negative', gammas, 0.0)
    found = PartialFocalLoss()(logits, targets)
    assert found.item() == pytest.approx(expected, rel=1e-7)


# p = 3/4 (known positive), 3/4 (known negative), 3/4 and 1/2 (unknown)
LOGITS = torch.tensor([[math.log(3)] * 3 + [0.0]], dtype=torch.float64)
TARGETS = torch.tensor([[1, 0, -1, -1]])


@pytest.mark.parametrize(
    'options, expected',
    [
        # -ln 3/4 = 0.287682 and -ln 1/2 = 0.693147. The shift of 1/4 takes the last
        # three, 3/4, 3/4 and 1/2, to 1/2, 1/2 and 1/4. The four labels cost
        #     (1/4)^1 x 0.287682 = 0.071921
        #     (1/2)^2 x 0.693147 = 0.173287
        #     (1/2)^3 x 0.693147 = 0.086643
        #     (1/4)^3 x 0.287682 = 0.004495
        (dict(unknown='ignore'), 0.245207),  # the first two
        (dict(unknown='negative'), 0.336346),  # all
        # without the most probable unknown label
        (dict(unknown='selective', likelihood_topk=1), 0.249702),
        # the prior leaves out the last one too, but never a known label
        (
            dict(unknown='selective', likelihood_topk=1, prior=[0.9, 0.9, 0, 0.9]),
            0.245207,
        ),
    ],
)
def test_asymmetric_loss_by_hand(options, expected):
    loss = PartialAsymmetricLoss(
        gamma_pos=1, gamma_neg=2, gamma_unknown=3, clip=0.25, **options
    )
    assert loss(LOGITS, TARGETS).item() == pytest.approx(expected, abs=2e-6)


def test_published_exponents_by_hand():
    # p = 3/4 (positive), 11/20 (known negative): p_m = 0.55 - 0.05 = 1/2
    logits = torch.tensor([[math.log(3), math.log(11 / 9)]], dtype=torch.float64)
    found = PartialAsymmetricLoss()(logits, torch.tensor([[1, 0]]))
    # 0.287682 + (1/2)^4 x 0.693147 = 0.287682 + 0.043322
    assert found.item() == pytest.approx(0.331004, abs=2e-6)


@pytest.mark.parametrize(
    'options, expected',
    [
        # -ln 3/4 = 0.287682, -ln 1/4 = 1.386294, -ln 1/2 = 0.693147. The labels cost
        #     (1/4)^2 x 0.287682 = 0.017980
        #     (3/4)^2 x 1.386294 = 0.779791
        #     (3/4)^2 x 1.386294 = 0.779791
        #     (1/2)^2 x 0.693147 = 0.173287
        (dict(), 1.750848),  # all
        (dict(unknown='ignore'), 0.797771),  # the first two
        (dict(unknown='selective', likelihood_topk=1), 0.971058),  # but the third
    ],
)
def test_focal_loss_by_hand(options, expected):
    found = PartialFocalLoss(**options)(LOGITS, TARGETS)
    assert found.item() == pytest.approx(expected, abs=2e-6)


def test_weight_is_a_constant_unless_wanted():
    logits = torch.tensor([[0.0]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[0]])
    # loss = w * log(1 + e^x): with w = p^2 = 1/4 a constant the slope is w * p
    PartialAsymmetricLoss(gamma_neg=2, clip=0)(logits, target).backward()
    assert logits.grad.item() == pytest.approx(0.125)
    logits.grad = None
    PartialFocalLoss()(logits, target).backward()
    # d/dx [p^2 log(1 + e^x)] = 2 p^2 (1 - p) log 2 + p^3
    assert logits.grad.item() == pytest.approx(0.25 * math.log(2) + 0.125)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(unknown='drop'), 'unknown must be in'),
        (dict(unknown='ignore', prior=[0.1]), "prior is for unknown='selective'"),
        (dict(prior=[0.1, 1.5]), r'numbers in \[0, 1\]'),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        PartialAsymmetricLoss(**options)


def test_missing_prior_file():
    with pytest.raises(FileNotFoundError, match='none.npy'):
        PartialAsymmetricLoss(prior='none.npy')
