"""What a sample looks like depends on its key, not on who loads it or when."""

import random

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from mmscpnet.engine.loops.keyed_batches import key_batches


class Noise(Dataset):
    """The index, and a number of each generator."""

    def __init__(self, length=10):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return torch.tensor(
            [index, random.random(), np.random.random(), torch.rand(()).item()],
            dtype=torch.float64,
        )


def epochs(loader, keyed, first=0, count=2, start=0):
    result = []
    for epoch in range(start, start + count):
        keyed.begin(5, epoch, first if epoch == start else 0)
        # What happened before must not matter.
        np.random.random(), random.random(), torch.rand(3)
        result.append(torch.cat(list(loader)))
    return result


def make(workers=0, dataset=None, sampler=None):
    loader = DataLoader(
        dataset or Noise(),
        batch_size=3,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    return loader, key_batches(loader)


@pytest.mark.parametrize('workers', [0, 2])
def test_same_views_from_any_worker(workers):
    expected = epochs(*make())
    found = epochs(*make(workers))
    for a, b in zip(expected, found):
        assert torch.equal(a, b)
    # Each epoch has its own numbers, in each column, also in persistent workers.
    assert torch.equal(expected[0][:, 0], expected[1][:, 0])
    assert (expected[0][:, 1:] != expected[1][:, 1:]).all()
    assert len(set(expected[0][:, 1:].flatten().tolist())) == 30


@pytest.mark.parametrize('workers', [0, 2])
def test_an_epoch_from_its_middle(workers):
    whole = epochs(*make(), count=3)
    rest = epochs(*make(workers), first=6, start=1)
    assert torch.equal(rest[0], whole[1][6:])
    assert torch.equal(rest[1], whole[2])


@pytest.mark.parametrize(
    'dataset, distinct',
    [
        (ConcatDataset([Noise(4), Noise(6)]), 10),
        # The same image at two places of the wrapper: two different views.
        (Subset(Noise(4), [0, 1, 2, 3, 0, 0]), 6),
    ],
)
def test_wrappers(dataset, distinct):
    (found,) = epochs(*make(dataset=dataset), count=1)
    assert len(set(found[:, 1].tolist())) == distinct


def test_an_image_drawn_twice_in_an_epoch():
    sampler = [4, 4, 2, 4]
    (found,) = epochs(*make(sampler=sampler), count=1)
    assert len(set(found[:, 1].tolist())) == 4
    loader, keyed = make(sampler=sampler)
    (rest,) = epochs(loader, keyed, first=3, count=1)
    assert torch.equal(rest, found[3:])


def test_plain_indices_still_work():
    loader, _ = make()
    assert loader.dataset.__getitems__([3])[0][0] == 3
