"""Batches that are the same whoever loads them, and can be begun in the middle."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler

from mmscpnet.utils.random_keys import seed_by_key


class KeyedIndex(NamedTuple):
    """A position in a dataset, with what its random numbers depend on.

    Attributes:
        index: position in the (outermost) dataset.
        occurrence: how often the epoch has had this position before.
        epoch: 0-based.
        seed: of the run.
    """

    index: int
    occurrence: int
    epoch: int
    seed: int


class KeyedSampler(Sampler):
    """The indices of another sampler, as keys, maybe without the first ones.

    The key travels with the index, so workers that live for many epochs know it too.

    Args:
        sampler: gives the indices of an epoch.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.begin(0, 0, 0)

    def begin(self, seed: int, epoch: int, first: int) -> None:
        """Say which epoch comes next, and with which of its samples it begins."""
        self.seed = seed
        self.epoch = epoch
        self.first = first

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[KeyedIndex]:
        seen: Counter = Counter()
        for position, index in enumerate(self.sampler):
            if position >= self.first:
                yield KeyedIndex(index, seen[index], self.epoch, self.seed)
            seen[index] += 1


def key_batches(dataloader: DataLoader) -> KeyedSampler:
    """Make a dataloader draw all random numbers of a sample from its key.

    The dataloader is changed in place, before its first iteration: indices come from
    the sampler that is returned, and the dataset seeds the global generators before it
    loads a sample. So transforms of any library give the same result with any number
    of workers and processes.

    Args:
        dataloader: over a map-style dataset, with batches of a fixed size.

    Raises:
        ValueError: a batch sampler whose batches are not consecutive samples, or an
            iterable dataset.
    """
    if type(dataloader.batch_sampler) is not BatchSampler:
        found = type(dataloader.batch_sampler).__name__
        raise ValueError(
            'ResumableTrainLoop needs train_dataloader with batch_size and sampler, '
            f'but it has batch_sampler={found}. Leave batch_sampler out, or use '
            "train_cfg=dict(type='EpochBasedTrainLoop', ...), which cannot resume "
            'within an epoch'
        )
    keyed = KeyedSampler(dataloader.batch_sampler.sampler)
    dataloader.batch_sampler.sampler = keyed
    dataset = dataloader.dataset
    # torch asks a dataset for a whole batch by this name if there is one.
    dataset.__getitems__ = partial(load_keyed, dataset)
    return keyed


def load_keyed(dataset: Dataset, indices: Sequence) -> list[Any]:
    """Load samples, each with the random numbers of its key.

    Args:
        dataset: map-style.
        indices: of :class:`KeyedIndex`, or plain ones, which are not seeded.
    """
    samples = []
    for index in indices:
        if isinstance(index, KeyedIndex):
            seed_by_key(*index)
            index = index.index
        samples.append(dataset[index])
    return samples
