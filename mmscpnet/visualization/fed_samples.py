"""What a dataset and a data preprocessor hand to the model, for looking at."""

from pathlib import Path

import numpy as np
import torch
from mmpretrain.datasets.transforms import MultiView, PackInputs
from torch import Tensor
from torch.utils.data import Dataset

from mmscpnet.datasets import ThreeStateDataset, innermost_datasets
from mmscpnet.models.data_preprocessors import MultiViewDataPreprocessor

from .view_sheet import ViewSheetItem


def spread_positions(
    dataset: Dataset, count: int
) -> list[tuple[ThreeStateDataset, int]]:
    """Choose images evenly over a dataset and its wrappers.

    Args:
        dataset: a dataset of mmscpnet, maybe in wrappers.
        count: how many; all, if there are not as many.

    Returns:
        The innermost dataset and the position in it, of each image.

    Raises:
        ValueError: a dataset of another package, whose labels have no three states.
    """
    places = []
    for inner in innermost_datasets(dataset):
        if not isinstance(inner, ThreeStateDataset):
            raise ValueError(
                f'{type(inner).__name__} is not a dataset of mmscpnet: its labels '
                'do not tell known negatives from unknown ones'
            )
        places.append((inner, len(inner)))
    total = sum(length for _, length in places)
    chosen = []
    for position in np.linspace(0, total - 1, min(count, total)):
        position = int(position)
        for inner, length in places:
            if position < length:
                chosen.append((inner, position))
                break
            position -= length
    return chosen


def fed_sample(
    dataset: ThreeStateDataset,
    idx: int,
    preprocessor: MultiViewDataPreprocessor,
    show_truth: bool = False,
) -> ViewSheetItem:
    """Run an image through the pipeline and the data preprocessor.

    Args:
        dataset: whose pipeline ends with ``PackInputs``.
        idx: position in the dataset.
        preprocessor: of the model.
        show_truth: whether the item has the labels from before the masking.

    Returns:
        The views with the normalisation undone, channels in the order in which the
        model gets them, and the labels as packed.

    Raises:
        ValueError: the pipeline does not end with ``PackInputs``, or drops the image.
    """
    *transforms, pack = dataset.pipeline.transforms
    if not isinstance(pack, PackInputs):
        raise ValueError(
            f'the pipeline of {dataset.ann_file} ends with {type(pack).__name__}; it '
            'must end with PackInputs'
        )
    results = dataset.get_data_info(idx)
    path = results['img_path']
    for transform in transforms:
        results = transform(results)
        if results is None:
            raise ValueError(f'{type(transform).__name__} drops the image {path}')
    packed = pack(results)
    inputs = packed['inputs']
    views = [v[None] for v in inputs] if isinstance(inputs, list) else inputs[None]
    prepared = preprocessor({'inputs': views})['inputs']
    prepared = prepared if isinstance(prepared, list) else [prepared]
    scores = packed['data_samples'].gt_score.numpy()
    full = results.get('full_gt_score', scores) if show_truth else None
    title = f'{Path(path).name}  (sample {results["sample_idx"]})'
    pictures = [denormalize(view[0], preprocessor) for view in prepared]
    return ViewSheetItem(pictures, scores, full, title)


def denormalize(view: Tensor, preprocessor: MultiViewDataPreprocessor) -> np.ndarray:
    """Undo the normalisation: ``(3, H, W)`` -> ``(H, W, 3)`` uint8."""
    if preprocessor.normalizes:
        view = view * preprocessor.std + preprocessor.mean
    pixels = view.round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 0).numpy()


def describe_views(
    dataset: ThreeStateDataset,
    sample: ViewSheetItem,
    preprocessor: MultiViewDataPreprocessor,
) -> list[str]:
    """Say in a few lines how the views come about.

    Args:
        dataset: whose pipeline it is.
        sample: one of its images, for the number of views and their size.
        preprocessor: of the model.
    """
    steps, views = [], {}
    for transform in dataset.pipeline.transforms[:-1]:
        if not isinstance(transform, MultiView):
            steps.append(type(transform).__name__)
            continue
        for number, view in enumerate(transform.transforms, start=1):
            names = ', '.join(type(part).__name__ for part in view.transforms)
            views.setdefault(names, []).append(str(number))
    count = len(sample.views)
    height, width = sample.views[0].shape[:2]
    size = f'{count} view{"s" * (count > 1)} of {width} x {height} pixels'
    if not preprocessor.to_rgb:
        size += '; channels stay as they were read (to_rgb=False)'
    return [
        f'{size}. {", ".join(steps)}',
        *(f'View {", ".join(which)}: {names}' for names, which in views.items()),
    ]
