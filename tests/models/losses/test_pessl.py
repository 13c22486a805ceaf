"""PESSL against plain loops and twelve steps of the released code."""

import math

import numpy as np
import pytest
import torch

from mmscpnet.label_graph import build_label_graph
from mmscpnet.models.losses import PESSLLoss, SPLCLoss
from mmscpnet.models.losses.pseudo_labels import (
    PseudoLabelState,
    pack_bits,
    unpack_bits,
)
from tests.shared import shared_file


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class SlowPESSL:
    """Section 3.3 of the paper, image by image and label by label."""

    def __init__(self, size, count, prior, hard_k, released, cutoff=0.95):
        self.size, self.count, self.prior = size, count, prior
        self.hard_k, self.released, self.cutoff = hard_k, released, cutoff
        self.memory = [[0] * size for _ in range(count)]

    def __call__(self, weak, strong, targets, index):
        size = self.size
        sigma = [sum(row[c] for row in self.memory) for c in range(size)]
        beta = [1 / size] * size
        if max(sigma) >= 1:
            unused = self.hard_k * self.count - sum(sigma)
            scale = max(max(sigma), unused)
            beta = [max(s / scale, 1 / size) for s in sigma]
        limit = [self.cutoff * b / (2 - b) for b in beta]
        cst = dstl = 0.0
        for w, x, y, i in zip(weak, strong, targets, index):
            p = [sigmoid(v) for v in w]
            top = sorted(range(size), key=lambda c: -p[c])[: self.hard_k]
            chosen = {c for c in top if p[c] > limit[c] and y[c] != 0}
            counted = bool(chosen) or not self.released
            if self.released:
                chosen |= {c for c in range(size) if y[c] == 1}
            for c in range(size):
                s = sigmoid(x[c])
                q = sum(self.prior[c][j] * p[j] for j in range(size))
                if counted:
                    cst -= math.log(s if c in chosen else 1 - s)
                    cross = -q * math.log(s) - (1 - q) * math.log(1 - s)
                    entropy = -q * math.log(q) - (1 - q) * math.log(1 - q)
                    dstl += cross if self.released else cross - entropy
            self.memory[i] = [int(c in chosen) for c in range(size)]
        return beta, cst, dstl


RELEASED = dict(divergence='cross_entropy', include_observed=True, sample_mask=True)


@pytest.mark.parametrize('released', [False, True])
@pytest.mark.parametrize('size, hard_k', [(1, 1), (2, 1), (5, 2), (5, 5), (81, 3)])
def test_equals_the_slow_reference(released, size, hard_k):
    generator = torch.Generator().manual_seed(size)
    graph = build_label_graph(
        torch.rand(size, size, generator=generator), max(1, size // 2), 0.2, 0.3
    )
    loss = PESSLLoss(
        size, 9, graph, hard_k, loss_weight_cst=1.0, loss_weight_dstl=1.0,
        **(RELEASED if released else {}),
    )  # fmt: skip
    slow = SlowPESSL(size, 9, graph.normalized.tolist(), hard_k, released)
    for _ in range(6):
        index = torch.randperm(9, generator=generator)[:4]
        weak, strong = 2 * torch.randn(2, 4, size, generator=generator)
        targets = torch.randint(-1, 2, (4, size), generator=generator)
        found = loss(weak, strong, targets, index)
        beta, cst, dstl = slow(
            weak.tolist(), strong.tolist(), targets.tolist(), index.tolist()
        )
        torch.testing.assert_close(loss.class_confidence, torch.tensor(beta))
        assert found['loss_cst'].item() == pytest.approx(cst, rel=1e-4)
        assert found['loss_dstl'].item() == pytest.approx(dstl, rel=1e-3, abs=1e-4)
    bits = unpack_bits(loss.state.packed, size).int()
    assert bits.tolist() == slow.memory
    assert loss.state.counts.tolist() == bits.sum(0).tolist()


def test_twelve_steps_of_the_released_code():
    golden = np.load(shared_file('golden/voc.npz'))
    similarity = np.load(shared_file('data/label_similarity/clip_rn50_voc.npy'))
    graph = build_label_graph(torch.from_numpy(similarity), 20, 0.2, 0.3)
    pessl = PESSLLoss(
        20, 40, graph, hard_k=5, loss_weight_cst=1.0, loss_weight_dstl=2.0, **RELEASED
    )
    splc = SPLCLoss()
    observed = torch.from_numpy(golden['full']).long()
    observed[observed == 0] = -1
    for step in range(12):
        index, x, weak, strong, labels, confidence = (
            torch.from_numpy(golden[f's{step}_{name}'])
            for name in ('idx', 'x', 'w', 's', 'labels', 'acc')
        )
        losses = pessl(weak, strong, observed[index], index)
        consistency = sum(losses.values())
        total = splc(x, observed[index], int(step > 5)) + 0.125 * consistency
        expected = golden[f's{step}_cons'].item(), golden[f's{step}_loss'].item()
        assert consistency.item() == pytest.approx(expected[0], rel=1e-5)
        assert total.item() == pytest.approx(expected[1], rel=1e-5)
        torch.testing.assert_close(pessl.class_confidence, confidence)
        stored = unpack_bits(pessl.state.packed[index], 20)
        assert torch.equal(stored, labels.bool())


def make(size=4, count=6, **kwargs):
    graph = build_label_graph(torch.rand(size, size), 2, 0.2, 0.3)
    return PESSLLoss(size, count, graph, hard_k=2, **kwargs)


def test_known_negatives_are_never_pseudo_positives():
    loss = make()
    sure = torch.full((2, 4), 9.0)
    loss(sure, sure, torch.zeros(2, 4), torch.tensor([0, 1]))
    assert loss.state.counts.sum() == 0
    loss(sure, sure, torch.full((2, 4), -1.0), torch.tensor([0, 1]))
    assert loss.state.counts.sum() == 4


def test_kl_and_cross_entropy_have_one_gradient():
    weak, strong = torch.randn(2, 3, 4, dtype=torch.float32)
    strong.requires_grad_()
    torch.manual_seed(0)
    kl = make(divergence='kl')
    torch.manual_seed(0)
    ce = make(divergence='cross_entropy')
    targets, index = torch.full((3, 4), -1), torch.arange(3)
    grads = [
        torch.autograd.grad(loss(weak, strong, targets, index)['loss_dstl'], strong)[0]
        for loss in (kl, ce)
    ]
    torch.testing.assert_close(*grads)
    assert kl(weak, strong, targets, index)['loss_dstl'] >= 0


def test_kl_is_zero_where_student_equals_teacher():
    loss = PESSLLoss(3, 2, torch.eye(3), 1)
    logits = torch.randn(2, 3)
    found = loss(logits, logits, torch.full((2, 3), -1), torch.arange(2))
    assert abs(found['loss_dstl'].item()) < 1e-6


def test_no_gradient_through_the_weak_view():
    weak = torch.randn(2, 4, requires_grad=True)
    strong = torch.randn(2, 4, requires_grad=True)
    sum(
        make()(weak, strong, torch.full((2, 4), -1), torch.arange(2)).values()
    ).backward()
    assert weak.grad is None and strong.grad.abs().sum() > 0


def test_gradient():
    prior = torch.eye(3, dtype=torch.float64)
    weak = torch.randn(2, 3)
    targets, index = torch.full((2, 3), -1), torch.arange(2)

    def total(strong):
        loss = PESSLLoss(3, 2, prior, 2)
        return sum(loss(weak, strong, targets, index).values())

    # The loss computes in float32, so the numerical gradient is coarse.
    strong = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(total, strong, eps=1e-2, atol=1e-2, rtol=1e-2)


def test_half_precision_and_certain_weak_view_stay_finite():
    weak = torch.tensor([[60.0, -60.0, 60.0, 60.0]]).half()
    strong = torch.tensor([[-60.0, 60.0, 60.0, -60.0]]).half()
    found = make()(weak, strong, torch.full((1, 4), -1), torch.tensor([0]))
    assert all(torch.isfinite(value) for value in found.values())
    assert found['loss_cst'].dtype == torch.float32


def test_state_survives_a_state_dict():
    loss = make()
    loss(5 * torch.randn(3, 4), torch.randn(3, 4), torch.full((3, 4), -1),
         torch.tensor([5, 0, 3]))  # fmt: skip
    # A model for testing does not know the training set.
    other = make(count=None)
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other.state.packed, loss.state.packed)
    assert torch.equal(other.state.counts, loss.state.counts)
    assert loss.state_dict()['_extra_state'].numel() == 6


def test_state_of_another_training_set_is_left_out(caplog):
    loss, other = make(count=6), make(count=7)
    other.load_state_dict(loss.state_dict())
    assert len(other.state.packed) == 7


def test_an_image_twice_in_a_batch_counts_once():
    state = PseudoLabelState(3, 10)
    labels = torch.zeros(3, 10, dtype=torch.bool)
    labels[0, 1] = labels[1, 2] = labels[2, 3] = labels[2, 9] = True
    state.update(torch.tensor([1, 0, 1]), labels)
    assert state.counts.tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    assert torch.equal(unpack_bits(state.packed, 10)[1], labels[2])


@pytest.mark.parametrize('size', [1, 7, 8, 9, 312])
def test_bits_round_trip(size):
    labels = torch.rand(5, size) < 0.3
    packed = pack_bits(labels)
    assert packed.shape == (5, math.ceil(size / 8))
    assert torch.equal(unpack_bits(packed, size), labels)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(hard_k=0), r'hard_k must lie in \[1, 4\], found 0'),
        (dict(hard_k=5), 'found 5'),
        (dict(divergence='js'), "found 'js'"),
    ],
)
def test_bad_settings(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PESSLLoss(4, 2, torch.eye(4), **kwargs)


def test_bad_calls():
    logits, targets = torch.randn(1, 4), torch.full((1, 4), -1)
    with pytest.raises(ValueError, match='sample_idx 6 to 6 does not fit'):
        make()(logits, logits, targets, torch.tensor([6]))
    with pytest.raises(ValueError, match='LabelCheckHook'):
        make(count=None)(logits, logits, targets, torch.tensor([0]))
    with pytest.raises(ValueError, match='no label_graph'):
        PESSLLoss(4, 2, hard_k=2)(logits, logits, targets, torch.tensor([0]))
