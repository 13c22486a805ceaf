"""Protocols that look at the whole set first.

What they learn there is kept small, since every worker that loads images has it: a bit
a label for the matrix draws, a number an image or a class for the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Optional

import numpy as np

from .base import Protocol, SeededProtocol
from .few_shot import labelled_images
from .label_table import LabelTable
from .largeloss import (
    HELD_OUT_SHARE,
    SEED,
    draw_positives,
    hold_out,
    published_order,
)
from .masking import hide_all, keep_likely
from .matrix_draws import dualcoop_kept, sarb_kept
from .stress import biased_probabilities

TRAINING, HELD_OUT, LEFT_OUT = range(3)


@dataclass
class SPMLLargeLoss(Protocol):
    """One positive an image by the published scripts, 20% of the images held out.

    In a pipeline the positives are the same, but a transform cannot leave images out:
    the files, made by ``make_incomplete_labels.py``, can. COCO's and VOC's images
    without positives, which the scripts leave out, keep nothing there.
    """

    name: ClassVar = 'spml-largeloss'
    source: ClassVar = 'Cole et al., CVPR 2021; Kim et al. (LargeLoss), CVPR 2022'
    whole_set: ClassVar = True

    seed: int = SEED
    held_out: float = HELD_OUT_SHARE

    def __post_init__(self) -> None:
        self._check_share('held_out')
        self._kept: Optional[np.ndarray] = None

    def prepare(self, table: LabelTable) -> None:
        """Draw the positives of all images."""
        order = self._order(table)
        self._kept = np.full(len(table), -1, dtype=np.int32)
        self._kept[order] = draw_positives(map(table.row, order), self.seed)

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """See :func:`draw_positives`."""
        masked = hide_all(score)
        if self._kept[index] >= 0:
            masked[self._kept[index]] = 1
        return masked

    def parts(self, table: LabelTable) -> np.ndarray:
        """What becomes of each image, ``(N,)`` int8.

        :data:`TRAINING`; :data:`HELD_OUT`, to keep all labels and choose the epoch; or
        :data:`LEFT_OUT`.
        """
        order = self._order(table)
        parts = np.full(len(table), LEFT_OUT, dtype=np.int8)
        held = hold_out(len(order), self.held_out, self.seed)
        parts[order] = np.where(held, HELD_OUT, TRAINING)
        return parts

    def _order(self, table: LabelTable) -> np.ndarray:
        return published_order(table.images, table.has_positive())


@dataclass
class _Matrix(Protocol):
    whole_set: ClassVar = True

    seed: int = 0
    ratio: float = field(kw_only=True)

    def __post_init__(self) -> None:
        self._check_share('ratio')
        self._packed: Optional[np.ndarray] = None

    def prepare(self, table: LabelTable) -> None:
        """Draw the whole matrix, portion by portion, and keep a bit a label."""
        kept = self.kept(len(table), table.num_classes)
        self._packed = np.concatenate([np.packbits(part, axis=1) for part in kept])

    def kept(self, num_images: int, num_classes: int) -> Iterator[np.ndarray]:
        """Portions of the ``(N, C)`` bool matrix of what stays known."""
        raise NotImplementedError

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """Hide what the matrix hides."""
        kept = np.unpackbits(self._packed[index], count=len(score)).view(bool)
        masked = score.copy()
        masked[~kept] = -1
        return masked


@dataclass
class PartialSARB(_Matrix):
    """Each label with the same probability, as SARB, SST and HST draw them."""

    name: ClassVar = 'partial-sarb'
    source: ClassVar = 'Pu et al. (SARB), AAAI 2022: np.random.seed(0)'

    def kept(self, num_images: int, num_classes: int) -> Iterator[np.ndarray]:
        """See :func:`sarb_kept`."""
        return sarb_kept(num_images, num_classes, self.ratio, self.seed)


@dataclass
class PartialDualCoOp(_Matrix):
    """Each label with the same probability, as DualCoOp draws them."""

    name: ClassVar = 'partial-dualcoop'
    source: ClassVar = 'Sun et al. (DualCoOp), NeurIPS 2022: torch.rand; seed our own'

    def kept(self, num_images: int, num_classes: int) -> Iterator[np.ndarray]:
        """See :func:`dualcoop_kept`."""
        return dualcoop_kept(num_images, num_classes, self.ratio, self.seed)


@dataclass
class FewShot(Protocol):
    """Some completely labelled images of each class; the others have no label."""

    name: ClassVar = 'few-shot'
    source: ClassVar = 'setting of LaSO (CVPR 2019), TaI-DPT (CVPR 2023); own draw'
    whole_set: ClassVar = True

    seed: int = 0
    shots: int = field(kw_only=True)

    def __post_init__(self) -> None:
        if self.shots < 1:
            raise ValueError(
                f'{self.name}: shots must be at least 1, found {self.shots}'
            )
        self._labelled: Optional[np.ndarray] = None

    def prepare(self, table: LabelTable) -> None:
        """Draw the labelled images."""
        self._labelled = labelled_images(
            table.images_of_class(), len(table), self.shots, self.seed
        )

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """See :func:`labelled_images`."""
        return score.copy() if self._labelled[index] else hide_all(score)


@dataclass
class Biased(SeededProtocol):
    """Labels of frequent classes are known more often than those of rare ones."""

    name: ClassVar = 'biased'
    source: ClassVar = 'stress variant: annotators who name the usual first'
    whole_set: ClassVar = True

    ratio: float = field(kw_only=True)
    power: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        self._check_share('ratio')
        if self.power < 0:
            raise ValueError(f'{self.name}: power must be >= 0, found {self.power}')
        self._likely: Optional[np.ndarray] = None

    def prepare(self, table: LabelTable) -> None:
        """Count the classes."""
        self._likely = biased_probabilities(
            *table.class_counts(), self.ratio, self.power
        )

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`biased_probabilities`."""
        return keep_likely(score, rng, self._likely)
