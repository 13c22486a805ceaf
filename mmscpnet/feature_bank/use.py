"""Let a dataset draw its views from a feature bank."""

import numpy as np
from torch.utils.data import DataLoader, Dataset

from mmscpnet.datasets import ThreeStateDataset, innermost_datasets

from .extract import BankSettings, open_or_extract
from .pipeline import BankCollate, BankPipeline, plan_views


def draw_from_bank(model, dataset: Dataset, settings: BankSettings, name: str) -> None:
    """Replace the pipelines at the bottom of a dataset by draws from a bank.

    The bank is read, or filled first. Wrappers, samplers and dataloaders around the
    dataset stay as they are.

    Args:
        model: an :class:`SCPNet` with frozen backbone, weights loaded.
        dataset: a dataset of mmscpnet, maybe in wrappers.
        settings: of the bank.
        name: of the dataset in messages, such as ``train``.

    Raises:
        ValueError: a dataset of another package, or a pipeline of another form.
    """
    for inner in innermost_datasets(dataset):
        if not isinstance(inner, ThreeStateDataset):
            raise ValueError(
                f'a feature bank needs datasets of mmscpnet, found '
                f'{type(inner).__name__} in {name}_dataloader'
            )
        if isinstance(inner.pipeline, BankPipeline):
            continue
        plan = plan_views(inner.pipeline.transforms)
        features = open_or_extract(model, inner, plan, settings, name)
        inner.pipeline = BankPipeline(plan, features, sample_rows(inner))


def read_whole_batches(dataloader: DataLoader) -> None:
    """Let a dataloader read a batch from the bank at once, not image by image.

    Args:
        dataloader: over datasets that draw from a bank, before its first iteration.
    """
    for inner in innermost_datasets(dataloader.dataset):
        inner.pipeline.lazy = True
    if not isinstance(dataloader.collate_fn, BankCollate):
        dataloader.collate_fn = BankCollate(dataloader.collate_fn)


def sample_rows(dataset: ThreeStateDataset) -> np.ndarray:
    """For each ``sample_idx`` the position in the dataset, -1 if it is left out."""
    rows = np.full(dataset.sample_offset + dataset.num_samples, -1)
    for position in range(len(dataset)):
        rows[dataset.get_data_info(position)['sample_idx']] = position
    return rows
