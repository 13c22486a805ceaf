"""Several datasets as one, without two images sharing an index."""

from collections.abc import Iterator

from mmengine.dataset import ConcatDataset as MMEngineConcatDataset
from torch.utils.data import Dataset

from mmscpnet.registry import DATASETS

from .base import ThreeStateDataset


@DATASETS.register_module()
class ConcatDataset(MMEngineConcatDataset):
    """mmengine's ``ConcatDataset``, numbering the images of all parts in one row.

    The ``sample_idx`` of each part is shifted behind the part before it.

    Raises:
        TypeError: a part that is not a dataset of mmscpnet, whose numbering can
            therefore not be shifted.
        ValueError: the same dataset object twice.
    """

    def full_init(self) -> None:
        """Load all parts, then number them."""
        if self._fully_initialized:
            return
        super().full_init()
        offset = 0
        for position, dataset in enumerate(self.datasets):
            if not isinstance(dataset, ThreeStateDataset):
                raise TypeError(
                    f'ConcatDataset: part {position} is a {type(dataset).__name__}; '
                    'only datasets of mmscpnet can be numbered behind one another'
                )
            if any(dataset is other for other in self.datasets[:position]):
                raise ValueError(
                    f'ConcatDataset: part {position} is the same object as an earlier '
                    'part. Use RepeatDataset to see images several times'
                )
            dataset.sample_offset = offset
            offset += dataset.num_samples


def innermost_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The datasets at the bottom of wrappers (Concat, Repeat, Subset, KFold ...)."""
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from innermost_datasets(part)
    elif hasattr(dataset, 'dataset'):
        yield from innermost_datasets(dataset.dataset)
    else:
        yield dataset


def count_samples(dataset: Dataset) -> int:
    """How many values ``sample_idx`` can take over a dataset and its wrappers.

    Raises:
        ValueError: two datasets whose indices overlap, as under mmengine's own
            ``ConcatDataset``, or a dataset that does not number its images.
    """
    ranges = []
    for inner in innermost_datasets(dataset):
        if not isinstance(inner, ThreeStateDataset):
            raise ValueError(
                f'{type(inner).__name__} is not a dataset of mmscpnet: its images '
                'carry no lasting sample_idx. Use IncompleteMultiLabelDataset or '
                'another dataset of mmscpnet.datasets'
            )
        ranges.append(_index_range(inner))
    ranges.sort()
    for (_, end), (start, _) in zip(ranges, ranges[1:]):
        if start < end:
            raise ValueError(
                'two parts of the training set use the same sample_idx, so their '
                "pseudo-labels would collide. Use dict(type='mmscpnet.ConcatDataset', "
                'datasets=[...]), which numbers the parts behind one another'
            )
    return ranges[-1][1]


def _index_range(dataset: ThreeStateDataset) -> tuple[int, int]:
    start = dataset.sample_offset
    return start, start + dataset.num_samples
