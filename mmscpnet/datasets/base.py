"""A dataset whose labels have three states."""

from collections.abc import Sequence
from typing import Optional

import numpy as np
from mmpretrain.datasets import BaseDataset

from .class_names import load_class_names
from .photo_policy import POLICIES, leave_out_bad_photos
from .protocols.label_table import LabelTable

UNLISTED = {'negative': 0, 'unknown': -1}


class ThreeStateDataset(BaseDataset):
    """Base of our datasets: every label is 1, 0 or -1 (unknown).

    A subclass loads ``gt_label`` (known positives) and, if it has them,
    ``negative_label`` (known negatives) of each image. ``unlisted`` says what the other
    labels are.

    Each sample gets ``gt_score`` ``(C,)`` int8; ``position``, that in the annotation
    file; and ``sample_idx``, the position plus ``sample_offset``. The position stays
    the same under ``indices``, ``RepeatDataset`` or ``torch.utils.data.Subset``, so
    label masking and per-image state do too.

    Args:
        classes: C label names, a known set or a file, see :func:`load_class_names`;
            None takes those of the annotation file.
        unlisted: ``'negative'`` or ``'unknown'``; None takes what the annotation file
            says (``metainfo.unlisted``), or ``'negative'``.
        bad_photos: what becomes of photos that are damaged. ``'error'`` stops the run
            at the first one that is read, and names it; ``'skip'`` reads all photos
            once beforehand, leaves the bad ones out and lists them in the log.
        **kwargs: see mmpretrain's ``BaseDataset``.
    """

    def __init__(
        self,
        *args,
        classes=None,
        unlisted: Optional[str] = None,
        bad_photos: str = 'error',
        **kwargs,
    ) -> None:
        if bad_photos not in POLICIES:
            raise ValueError(
                f'{type(self).__name__}: bad_photos must be one of {POLICIES}, found '
                f'{bad_photos!r}'
            )
        self.bad_photos = bad_photos
        if classes is not None:
            classes = load_class_names(classes, f'{type(self).__name__}.classes')
        self.unlisted = unlisted
        self.sample_offset = 0
        self._num_annotations = 0
        super().__init__(*args, classes=classes, **kwargs)

    @property
    def num_samples(self) -> int:
        """Images of the annotation file, whatever ``indices`` leaves of them."""
        self.full_init()
        return self._num_annotations

    def full_init(self) -> None:
        """Load the annotations, check them, and number them."""
        if not self._fully_initialized:
            super().full_init()
            if self.bad_photos == 'skip':
                leave_out_bad_photos(self)

    def prepare_data(self, idx: int) -> dict:
        """A sample; never another one in its place.

        Raises:
            ValueError: the pipeline gave None, for which mmengine takes a random image.
        """
        # A feature bank need not read the annotation of an image a second time.
        again = getattr(self.pipeline, 'again', None)
        data = None if again is None else again(idx)
        if data is None:
            data = super().prepare_data(idx)
        if data is None:
            raise ValueError(
                f'the pipeline gives None for {self.get_data_info(idx)["img_path"]}; '
                'no other image is taken in its place. Find the transform that does so'
            )
        return data

    def load_data_list(self) -> list[dict]:
        """Annotations with their position and with labels that are known to fit.

        Transforms of the pipeline that have to know the labels of the whole file get
        them here, before ``indices`` or a filter leave some out.
        """
        data_list = self.load_annotations()
        if self.CLASSES is None:
            raise ValueError(
                f'{self.ann_file} names no classes: give the dataset '
                'classes=[...] or classes="file with one name a line"'
            )
        if not data_list:
            raise ValueError(f'{self.ann_file} lists no image')
        self._num_annotations = len(data_list)
        for position, info in enumerate(data_list):
            info['position'] = position
            self._check_labels(info)
        self._resolve_unlisted()
        self._show_labels(data_list)
        return data_list

    def load_annotations(self) -> list[dict]:
        """``img_path``, ``gt_label`` and maybe ``negative_label`` of each image."""
        raise NotImplementedError

    def _resolve_unlisted(self) -> None:
        unlisted = self.unlisted or self._metainfo.get('unlisted', 'negative')
        if unlisted not in UNLISTED:
            raise ValueError(
                f"{self.ann_file}: unlisted must be 'negative' or 'unknown', "
                f'found {unlisted!r}'
            )
        self.unlisted = unlisted

    def _show_labels(self, data_list: list[dict]) -> None:
        curious = [
            transform
            for transform in self.pipeline.transforms
            if getattr(transform, 'needs_label_table', False)
        ]
        if not curious:
            return
        table = LabelTable(
            ((info['gt_label'], info.get('negative_label', ())) for info in data_list),
            len(self.CLASSES),
            UNLISTED[self.unlisted],
            [info['img_path'] for info in data_list],
        )
        for transform in curious:
            transform.prepare(table)

    def _check_labels(self, info: dict) -> None:
        size = len(self.CLASSES)
        positive, negative = info['gt_label'], info.get('negative_label', [])
        for label in [*positive, *negative]:
            if not 0 <= label < size:
                raise ValueError(
                    f'{self.ann_file}, {_where(info)}: label {label} is outside '
                    f'0..{size - 1}, there are {size} classes'
                )
        both = set(positive) & set(negative)
        if both:
            name = self.CLASSES[min(both)]
            raise ValueError(
                f'{self.ann_file}, {_where(info)}: label {min(both)} ({name!r}) is '
                'both positive and negative'
            )

    def get_data_info(self, idx: int) -> dict:
        """Annotation with ``gt_score`` and the lasting ``sample_idx``."""
        info = super().get_data_info(idx)
        info['sample_idx'] = info['position'] + self.sample_offset
        score = np.full(len(self.CLASSES), UNLISTED[self.unlisted], dtype=np.int8)
        score[info['gt_label']] = 1
        score[info.pop('negative_label', [])] = 0
        info['gt_score'] = score
        return info

    def get_cat_ids(self, idx: int) -> list[int]:
        """Known positives, for ``ClassBalancedDataset`` and the like."""
        return self.get_data_info(idx)['gt_label']

    def get_targets(self, indices: Optional[Sequence[int]] = None) -> np.ndarray:
        """Labels as annotated, without masking, ``(N, C)`` int8."""
        indices = range(len(self)) if indices is None else indices
        return np.stack([self.get_data_info(i)['gt_score'] for i in indices])


def _where(info: dict) -> str:
    return info.get('where') or f'image {info.get("img_path", "")}'
