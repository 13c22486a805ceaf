"""Which views a pipeline makes, and the pipeline that draws them from a bank."""

import json
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmpretrain.datasets.transforms import MultiView, PackInputs

from mmscpnet.datasets.transforms import LabelMasking

from .bank import fingerprint


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

    Views of one kind are different draws as long as there are enough.

    Args:
        plan: of the pipeline it replaces.
        features: ``(N, P, V, D)``.
        rows: ``sample_idx`` -> row of ``features``.
    """

    def __init__(self, plan: ViewPlan, features: np.ndarray, rows: np.ndarray) -> None:
        self.plan = plan
        # To index a memory map costs more than to index a plain view of it.
        self.features = np.asarray(features)
        self.rows = rows

    @property
    def transforms(self) -> list[BaseTransform]:
        """The transforms that still run, for those who look for label masking."""
        return [*self.plan.masking, self.plan.pack]

    def __call__(self, info: dict) -> dict:
        """Annotation -> ``inputs`` (features) and ``data_samples``."""
        for transform in self.plan.masking:
            info = transform.transform(info)
        packed = self.plan.pack.transform(info)
        stored = self.features[self.rows[info['sample_idx']]]
        num_draws = stored.shape[1]
        order = {
            kind: np.random.permutation(num_draws) for kind in set(self.plan.slots)
        }
        taken = dict.fromkeys(order, 0)
        draws = []
        for kind in self.plan.slots:
            draws.append(order[kind][taken[kind] % num_draws])
            taken[kind] += 1
        views = torch.from_numpy(stored[self.plan.slots, draws]).float().unbind()
        packed['inputs'] = list(views) if self.plan.multi_view else views[0]
        return packed
