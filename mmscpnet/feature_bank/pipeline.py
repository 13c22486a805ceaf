"""Which views a pipeline makes, and the pipeline that draws them from a bank."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, Optional, Union

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmpretrain.datasets.transforms import MultiView, PackInputs
from mmpretrain.structures import DataSample
from torch import Tensor

from mmscpnet.datasets.transforms import LabelMasking

from .bank import fingerprint

# Images whose packed labels are kept in memory, about 2 KB each.
MAX_KEPT = 50_000


class ViewPlan(NamedTuple):
    """A data pipeline taken apart.

    Attributes:
        load: transforms that every view starts with.
        kinds: the P different kinds of view.
        slots: for each view that the model gets, its kind. A pipeline without
            ``MultiView`` has one slot.
        multi_view: whether views come as a list.
        masking: label masking, applied at each draw.
        pack: the final ``PackInputs``.
    """

    load: Compose
    kinds: list[Compose]
    slots: list[int]
    multi_view: bool
    masking: list[LabelMasking]
    pack: PackInputs

    def describe(self) -> str:
        """Everything that determines the views' pixels, as JSON."""
        return json.dumps([fingerprint(self.load), fingerprint(self.kinds)])


def plan_views(transforms: Sequence[BaseTransform]) -> ViewPlan:
    """Take apart a pipeline that ends with ``MultiView`` (or one view), PackInputs.

    Raises:
        ValueError: the pipeline has another form.
    """
    if not transforms or not isinstance(transforms[-1], PackInputs):
        raise ValueError('a feature bank needs a pipeline that ends with PackInputs')
    masking = [t for t in transforms if isinstance(t, LabelMasking)]
    image = [t for t in transforms[:-1] if not isinstance(t, LabelMasking)]
    positions = [i for i, t in enumerate(image) if isinstance(t, MultiView)]
    if not positions:
        return ViewPlan(
            Compose([]), [Compose(image)], [0], False, masking, transforms[-1]
        )
    if positions != [len(image) - 1]:
        raise ValueError(
            'a feature bank needs MultiView to be the last transform of the image, '
            f'found {[type(t).__name__ for t in image]}'
        )
    kinds: list[Compose] = []
    slots, known = [], []
    for view in image[-1].transforms:
        description = fingerprint(view)
        if description not in known:
            known.append(description)
            kinds.append(view)
        slots.append(known.index(description))
    load = Compose(image[:-1])
    return ViewPlan(load, kinds, slots, True, masking, transforms[-1])


class ViewImages(torch.utils.data.Dataset):
    """All draws of all kinds of view of each image, for extraction.

    The random numbers of a draw depend on (seed, image, kind, draw) alone, so an
    interrupted extraction goes on as if nothing had happened.

    Args:
        dataset: the dataset whose photos are read.
        plan: of its pipeline.
        num_draws: V.
        seed: of the augmentation.
        start: first position.
        end: position after the last.
    """

    def __init__(self, dataset, plan, num_draws, seed, start, end) -> None:
        self.dataset = dataset
        self.plan = plan
        self.num_draws = num_draws
        self.seed = seed
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, position: int) -> list[torch.Tensor]:
        """P tensors ``(V, 3, H, W)``."""
        idx = self.start + position
        loaded = self.plan.load(self.dataset.get_data_info(idx))
        views = []
        for kind, transform in enumerate(self.plan.kinds):
            images = []
            for draw in range(self.num_draws):
                self._seed(idx, kind, draw)
                # As MultiView does: a transform may change what it is given.
                img = loaded.get('img')
                results = {**loaded, **({} if img is None else {'img': img.copy()})}
                images.append(PackInputs.format_input(transform(results)['img']))
            views.append(torch.stack(images))
        return views

    def _seed(self, idx: int, kind: int, draw: int) -> None:
        words = np.random.SeedSequence((self.seed, idx, kind, draw)).generate_state(3)
        np.random.seed(words[0])
        random.seed(int(words[1]))
        torch.manual_seed(int(words[2]))


class BankPipeline:
    """In place of a dataset's pipeline: mask the labels, draw views from a bank.

    Views of one kind are different draws as long as there are enough. As labels are
    masked the same way each time, the packed labels of an image are kept.

    Args:
        plan: of the pipeline it replaces.
        features: ``(N, P, V, D)``, rows in the order of the dataset.
        rows: ``sample_idx`` -> position in the dataset.

    Attributes:
        lazy: whether ``inputs`` are :class:`BankViews`, for :class:`BankCollate`.
    """

    def __init__(self, plan: ViewPlan, features: np.ndarray, rows: np.ndarray) -> None:
        self.plan = plan
        # To index a memory map costs more than to index a plain view of it.
        self.features = np.asarray(features)
        self.rows = rows
        self.lazy = False
        self._packed: dict[int, dict] = {}

    @property
    def transforms(self) -> list[BaseTransform]:
        """The transforms that still run, for those who look for label masking."""
        return [*self.plan.masking, self.plan.pack]

    def __call__(self, info: dict) -> dict:
        """Annotation -> ``inputs`` (features) and ``data_samples``."""
        position = int(self.rows[info['sample_idx']])
        for transform in self.plan.masking:
            info = transform.transform(info)
        packed = self.plan.pack.transform(info)
        if len(self._packed) < MAX_KEPT:
            self._packed[position] = packed
        return self._draw(position, packed)

    def again(self, position: int) -> Optional[dict]:
        """What the call gives for an image that it was given before; else None.

        Args:
            position: of the image in the dataset.
        """
        packed = self._packed.get(position)
        return None if packed is None else self._draw(position, packed)

    def _draw(self, position: int, packed: dict) -> dict:
        views = BankViews(self, position, self._draws())
        sample = copy_sample(packed['data_samples'])
        inputs = views if self.lazy else read_views([views], squeeze=True)
        return dict(inputs=inputs, data_samples=sample)

    def _draws(self) -> list[int]:
        """Which draw each view is, different ones of each kind while they last."""
        num_kinds, num_draws = self.features.shape[1:3]
        slots = self.plan.slots
        if num_draws == 1:
            return [0] * len(slots)
        order = [random.sample(range(num_draws), num_draws) for _ in range(num_kinds)]
        return [
            order[kind][slots[:slot].count(kind) % num_draws]
            for slot, kind in enumerate(slots)
        ]


class BankViews(NamedTuple):
    """Views of an image that have yet to be read from the bank.

    Attributes:
        pipeline: whose bank it is.
        position: of the image.
        draws: of each view.
    """

    pipeline: BankPipeline
    position: int
    draws: list[int]


def read_views(
    images: Sequence[BankViews], squeeze: bool = False
) -> Union[Tensor, list[Tensor]]:
    """Read the views of a batch.

    Args:
        images: N images, of one bank or several.
        squeeze: whether to leave out the dimension of the batch, where N is 1.

    Returns:
        ``(N, D)`` float32; in a pipeline with ``MultiView`` a list of such.
    """
    pipeline = images[0].pipeline
    draws = np.array([image.draws for image in images]).T
    if all(image.pipeline is pipeline for image in images):
        positions = [image.position for image in images]
        # (views, N, D): in this order each view is a piece of memory
        stored = pipeline.features[positions, np.c_[pipeline.plan.slots], draws]
    else:
        own = [
            image.pipeline.features[
                image.position, image.pipeline.plan.slots, image.draws
            ]
            for image in images
        ]
        stored = np.stack(own, axis=1)
    views = torch.from_numpy(stored).float()
    views = views.squeeze(1) if squeeze else views
    return list(views) if pipeline.plan.multi_view else views[0]


class BankCollate:
    """A collate function that reads the views of a batch in one go.

    Args:
        collate_fn: for batches that do not come from a bank.
    """

    def __init__(self, collate_fn: Callable) -> None:
        self.collate_fn = collate_fn

    def __call__(self, samples: Sequence[dict]) -> dict:
        """N samples -> a batch, as mmengine's ``default_collate`` gives it."""
        images = [sample['inputs'] for sample in samples]
        if not all(isinstance(image, BankViews) for image in images):
            return self.collate_fn(samples)
        labels = [sample['data_samples'] for sample in samples]
        return dict(inputs=read_views(images), data_samples=labels)


def copy_sample(sample: DataSample) -> DataSample:
    """A sample that can be given other fields; its tensors are shared."""
    twin = copy.copy(sample)
    # As attributes these two are protected.
    for name in ('_metainfo_fields', '_data_fields'):
        vars(twin)[name] = set(vars(sample)[name])
    return twin
