"""The memory of PESSL: its size, its counts, and what a step touches."""

import pytest
import torch

from mmscpnet.models.losses import PESSLLoss
from mmscpnet.models.losses.pseudo_labels import PseudoLabelState


def nbytes(state):
    return state.packed.nbytes + state.counts.nbytes


@pytest.mark.parametrize(
    'images, labels, limit', [(150_000, 81, 2_000_000), (9_000_000, 600, 700_000_000)]
)
def test_memory(images, labels, limit):
    # 'meta' counts bytes without taking them.
    with torch.device('meta'):
        state = PseudoLabelState(images, labels)
    assert nbytes(state) <= limit
    assert state.packed.shape == (images, -(-labels // 8))


def test_a_checkpoint_is_as_small(tmp_path):
    loss = PESSLLoss(num_classes=81, num_samples=150_000)
    idx = torch.arange(0, 150_000, 1500)
    labels = torch.rand(len(idx), 81) > 0.5
    loss.state.update(idx, labels)
    torch.save(loss.state_dict(), tmp_path / 'state.pth')
    assert (tmp_path / 'state.pth').stat().st_size <= 2_000_000
    other = PESSLLoss(num_classes=81, num_samples=150_000)
    saved = torch.load(tmp_path / 'state.pth', weights_only=True)
    other.load_state_dict(saved)
    assert torch.equal(other.state.counts, labels.sum(dim=0))
    assert torch.equal(other.state.packed, loss.state.packed)


@pytest.mark.parametrize('num_classes', [1, 7, 8, 81])
def test_counts_follow_a_slow_matrix(num_classes):
    torch.manual_seed(num_classes)
    state = PseudoLabelState(30, num_classes)
    matrix = torch.zeros(30, num_classes, dtype=torch.bool)
    for step in range(60):
        idx = torch.randint(0, 30, (1 + step % 7,))
        labels = torch.rand(len(idx), num_classes) > 0.6
        state.update(idx, labels)
        for row, label in zip(idx, labels):
            matrix[row] = label
        assert torch.equal(state.counts, matrix.sum(dim=0))


def test_a_step_reads_the_rows_of_its_batch_only():
    """A step's operations are as large for a million images as for a hundred."""
    largest = []
    for images in (100, 1_000_000):
        state = PseudoLabelState(images, 80)
        idx, labels = torch.arange(8), torch.rand(8, 80) > 0.5
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(
            activities=activities, profile_memory=True
        ) as profile:
            state.update(idx, labels)
        events = [e for e in profile.events() if e.cpu_memory_usage > 0]
        largest.append(max(e.cpu_memory_usage for e in events))
    assert largest[0] == largest[1]
