"""What all classification losses have in common."""

import pytest
import torch

from mmscpnet.models.losses import PerImageLoss
from mmscpnet.registry import MODELS

LOSSES = {
    'AN': dict(type='AssumeNegativeLoss'),
    'WAN': dict(type='WeakAssumeNegativeLoss'),
    'AN-LS': dict(type='LabelSmoothingANLoss'),
    'BCE': dict(type='PartialBCELoss'),
    'partial BCE': dict(type='PartialBCELoss', normalize=True),
    'EPR': dict(type='EPRLoss', expected_positives=1.5),
    'ROLE': dict(type='ROLELoss', expected_positives=1.5),
    'LL-R': dict(type='LargeLoss', scheme='LL-R', delta_rel=20),
    'LL-Ct': dict(type='LargeLoss', scheme='LL-Ct', delta_rel=20),
    'LL-Cp': dict(type='LargeLoss', scheme='LL-Cp', delta_rel=20),
    'focal': dict(type='PartialFocalLoss'),
    'ASL ignore': dict(type='PartialAsymmetricLoss', unknown='ignore'),
    'ASL negative': dict(type='PartialAsymmetricLoss', unknown='negative'),
    'ASL selective': dict(type='PartialAsymmetricLoss', likelihood_topk=1),
    'Hill': dict(type='HillLoss'),
    'SPLC': dict(type='SPLCLoss'),
    'GR': dict(type='GeneralizedRobustLoss', max_epochs=10),
    'EM': dict(type='EntropyMaximizationLoss'),
    'EM+APL': dict(
        type='EntropyMaximizationLoss', beta=0.5, warmup_epochs=1, max_epochs=4
    ),
}
# Pseudo-labels and weights that are constants to autograd make the loss piecewise or
# leave their path out: there finite differences measure something else.
DETACHED = {'ASL ignore', 'ASL negative', 'ASL selective', 'GR', 'ROLE'}
NUM_IMAGES = 6


@pytest.fixture(params=LOSSES)
def name(request):
    return request.param


def build(name, num_classes):
    torch.manual_seed(0)
    loss = MODELS.build(LOSSES[name])
    if isinstance(loss, PerImageLoss):
        loss.set_num_samples(NUM_IMAGES, num_classes)
    return loss


def call(loss, logits, targets, epoch=0):
    if isinstance(loss, PerImageLoss):
        return loss(logits, targets, epoch, torch.arange(len(logits)))
    return loss(logits, targets, epoch)


def problem(n=4, c=5, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, c, generator=generator, dtype=dtype)
    targets = torch.randint(-1, 2, (n, c), generator=generator)
    return logits.requires_grad_(), targets


@pytest.mark.parametrize('epoch', [0, 2])
def test_gradient(name, epoch):
    logits, targets = problem()
    if name in DETACHED:
        call(build(name, 5), logits, targets, epoch).backward()
        assert torch.isfinite(logits.grad).all() and logits.grad.any()
        return
    # anew each time: the memory must not change between two evaluations
    assert torch.autograd.gradcheck(
        lambda x: call(build(name, 5), x, targets, epoch), logits
    )


@pytest.mark.parametrize('shape', [(1, 1), (1, 5), (3, 1), (6, 81)])
@pytest.mark.parametrize('state', ['unknown', 'negative', 'positive', 'mixed'])
def test_odd_problems(name, shape, state):
    logits, targets = problem(*shape, dtype=torch.float32)
    if state != 'mixed':
        targets.fill_(dict(unknown=-1, negative=0, positive=1)[state])
    loss = build(name, shape[1])
    for epoch in range(4):
        value = call(loss, logits, targets, epoch)
        assert value.shape == () and torch.isfinite(value)
        logits.grad = None
        value.backward()
        assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_extreme_logits(name, dtype):
    logits = torch.tensor([[80.0, -80.0, 80, -80, 80, -80]], dtype=dtype)
    logits.requires_grad_()
    targets = torch.tensor([[1, 1, 0, 0, -1, -1]])
    loss = build(name, 6)
    for epoch in (0, 2):
        value = call(loss, logits, targets, epoch)
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(logits.grad).all()


def test_known_labels_pull_the_right_way(name):
    """Whatever is done with unknown labels, known ones are never turned around."""
    logits = torch.tensor([[2.0, -2.0, 2.0, -2.0, 0.0, 3.0]], requires_grad=True)
    targets = torch.tensor([[1, 1, 0, 0, -1, -1]])
    loss = build(name, 6)
    for epoch in range(4):
        logits.grad = None
        call(loss, logits, targets, epoch).backward()
        gradient = logits.grad[0]
        if name in ('EPR', 'ROLE'):
            continue  # the count of positives pulls at every label, see their tests
        assert (gradient[:2] <= 0).all() and gradient[1] < 0
        assert (gradient[2:4] >= 0).all() and gradient[2] > 0


def test_sum_over_images(name):
    """A batch costs what its images cost, where an image does not look at others."""
    if name in ('EPR', 'ROLE', 'ASL selective') or name.startswith('LL'):
        pytest.skip('looks at the whole batch')
    logits, targets = problem()
    whole = call(build(name, 5), logits, targets)
    parts = [
        call(build(name, 5), logits[i : i + 1], targets[i : i + 1]) for i in range(4)
    ]
    assert whole.item() == pytest.approx(sum(p.item() for p in parts))


def test_memory_survives_a_checkpoint(name):
    loss, fresh = build(name, 5), build(name, 5)
    logits, targets = problem(n=NUM_IMAGES, dtype=torch.float32)
    for epoch in range(3):
        call(loss, logits.detach() + epoch, targets, epoch)
    fresh.load_state_dict(loss.state_dict())
    values = [call(item, logits.detach(), targets, 3) for item in (loss, fresh)]
    assert torch.equal(*values)


class TestPerImage:
    @pytest.fixture(params=['ROLE', 'LL-Cp', 'EM+APL'])
    def kind(self, request):
        return request.param

    def test_needs_to_know_the_images(self, kind):
        loss = MODELS.build(LOSSES[kind])
        logits, targets = problem()
        with pytest.raises(ValueError, match='num_samples is not known'):
            loss(logits, targets, 0, torch.arange(4))
        loss.set_num_samples(3, 5)
        with pytest.raises(ValueError, match='needs the sample_idx'):
            loss(logits, targets, 0)
        with pytest.raises(ValueError, match='0 to 3 does not fit num_samples=3'):
            loss(logits, targets, 0, torch.arange(4))

    def test_memory_of_another_training_set_is_left_out(self, kind, caplog):
        other = MODELS.build(LOSSES[kind])
        other.set_num_samples(9, 5)
        state = build(kind, 5).get_extra_state()
        before = other.get_extra_state().clone()
        other.set_extra_state(state)
        assert torch.equal(other.get_extra_state().nan_to_num(), before.nan_to_num())

    def test_memory_that_comes_before_the_number_of_images(self, kind):
        """As with FlexibleRunner, which resumes before any hook is asked."""
        loss, fresh = build(kind, 5), MODELS.build(LOSSES[kind])
        logits, targets = problem(n=NUM_IMAGES, dtype=torch.float32)
        for epoch in range(3):
            call(loss, logits.detach(), targets, epoch)
        fresh.set_extra_state(loss.get_extra_state())
        fresh.set_num_samples(NUM_IMAGES, 5)
        found, expected = fresh.get_extra_state(), loss.get_extra_state()
        assert torch.equal(found.nan_to_num(), expected.nan_to_num())

    def test_average_shares_the_memory(self, kind):
        from copy import deepcopy

        loss = build(kind, 5)
        average = deepcopy(loss)
        average.share_in_ema(loss)
        assert average.memory() is loss.memory()


def test_mmpretrains_losses_are_used_with_full_labels_only():
    """The head is the adapter: it refuses -1 rather than have it misread."""
    from mmpretrain.structures import DataSample

    head = MODELS.build(
        dict(
            type='IncompleteLabelLinearHead',
            classes=['a', 'b'],
            in_channels=3,
            loss=dict(type='mmpretrain.AsymmetricLoss', reduction='sum'),
        )
    )
    feats = (torch.rand(1, 3),)
    full = DataSample(gt_score=torch.tensor([1.0, 0.0]))
    assert torch.isfinite(head.loss(feats, [full])['loss_cls'])
    partial = DataSample(gt_score=torch.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match='AsymmetricLoss does not understand unknown'):
        head.loss(feats, [partial])
