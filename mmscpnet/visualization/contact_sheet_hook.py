"""Draw a contact sheet of predictions at the end of a run."""

from pathlib import Path
from typing import Optional

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.logging import print_log

from mmscpnet.registry import HOOKS

from .contact_sheet import ContactSheetItem, draw_contact_sheet


@HOOKS.register_module()
class ContactSheetHook(Hook):
    """Write ``contact_sheet_val.png`` and ``contact_sheet_test.png``.

    A training run ends with the sheet of its last validation, each test (that of
    ``TestBestHook`` too) with the sheet of the test, in the run's log folder. Where a
    validation evaluates two models (averaged weights first), the sheet shows the one
    evaluated last. In a distributed run it shows photos of the first process.

    Args:
        num_images (int): Photos on the sheet, spread evenly over the data set.
            Defaults to 16.
        columns (int): Photos a row. Defaults to 4.
        tile (int): Side of a photo in pixels. Defaults to 224.
        threshold (float, optional): A class is predicted from this score on.
            Defaults to 0.5.
        topk (int, optional): Take the k highest scores as predicted instead; set
            ``threshold=None`` then. Defaults to None.

    Raises:
        ValueError: If `num_images` is below 1, or not exactly one of `threshold`
            and `topk` is given.
    """

    priority = 'VERY_LOW'

    def __init__(
        self,
        num_images: int = 16,
        columns: int = 4,
        tile: int = 224,
        threshold: Optional[float] = 0.5,
        topk: Optional[int] = None,
    ) -> None:
        if num_images < 1:
            raise ValueError(
                f'ContactSheetHook: `num_images` must be at least 1, '
                f'found {num_images}.'
            )
        if (threshold is None) == (topk is None):
            raise ValueError(
                'ContactSheetHook: give one of `threshold` and `topk` and set the '
                f'other to None, found threshold={threshold!r} and topk={topk!r}.'
            )
        self.num_images = num_images
        self.columns = columns
        self.tile = tile
        self.threshold = threshold
        self.topk = topk
        self._items: dict[str, list[ContactSheetItem]] = {}
        self._position = 0
        self._wanted: set[int] = set()

    def before_run(self, runner) -> None:
        """Forget what an earlier run left."""
        self._items = {}

    def after_val_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Keep the chosen predictions of a validation."""
        self._collect('val', runner.val_dataloader, batch_idx, outputs)

    def after_test_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Keep the chosen predictions of a test."""
        self._collect('test', runner.test_dataloader, batch_idx, outputs)

    def after_test(self, runner) -> None:
        """Draw the test."""
        self._draw(runner, 'test')

    def after_run(self, runner) -> None:
        """Draw the last validation."""
        self._draw(runner, 'val')

    @master_only
    def _collect(self, phase: str, dataloader, batch_idx: int, outputs) -> None:
        if batch_idx == 0:
            self._position = 0
            self._items[phase] = []
            # A sampler gives each process its share.
            count = _length(dataloader)
            spread = np.linspace(0, count - 1, min(self.num_images, count))
            self._wanted = {int(position) for position in spread}
        names = _class_names(dataloader)
        for sample in outputs:
            if self._position in self._wanted:
                self._items[phase].append(_make_item(sample, names))
            self._position += 1

    @master_only
    def _draw(self, runner, phase: str) -> None:
        items = self._items.pop(phase, [])
        if not items:
            return
        path = draw_contact_sheet(
            items,
            Path(runner.log_dir) / f'contact_sheet_{phase}.png',
            columns=self.columns,
            tile=self.tile,
            threshold=self.threshold,
            topk=self.topk,
            title=f'{runner.experiment_name}: {phase}',
        )
        print_log(f'Contact sheet of predictions: {path}', logger='current')


def _length(dataloader) -> int:
    sampler = getattr(dataloader, 'sampler', None)
    return len(dataloader.dataset if sampler is None else sampler)


def _class_names(dataloader) -> Optional[list]:
    metainfo = getattr(dataloader.dataset, 'metainfo', None) or {}
    classes = metainfo.get('classes')
    return None if classes is None else list(classes)


def _make_item(sample, names: Optional[list]) -> ContactSheetItem:
    """Turn a data sample into an item that holds no tensor."""
    scores = sample.pred_score.detach().float().cpu().numpy()
    if 'gt_score' in sample:
        targets = sample.gt_score.detach().cpu().numpy()
    else:
        targets = np.full(scores.shape, -1)
    path = sample.metainfo.get('img_path')
    if names is None:
        names = [f'class {index}' for index in range(len(scores))]
    title = '' if path is None else Path(path).name
    return ContactSheetItem(path, names, scores, targets, title)
