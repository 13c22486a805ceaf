"""Protocols that look at one image at a time."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..label_list import read_label_list
from .base import Protocol, SeededProtocol
from .masking import keep_listed, keep_ratio, keep_share, single_positive
from .positives import SPLC_DIVISORS, keep_each_positive, keep_positives_splc
from .stress import flip_labels, keep_at_least_one


@dataclass
class SPMLUniform(SeededProtocol):
    """One positive an image, drawn uniformly; all else is unknown."""

    name: ClassVar = 'spml-uniform'
    source: ClassVar = 'Cole et al., CVPR 2021; the draw is that of SinglePositiveLabel'

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`single_positive`."""
        return single_positive(score, rng)


@dataclass
class Listed(Protocol):
    """The positives that a list file names; all else is unknown.

    Images are found by the end of their path, so the list may name them with or
    without folders.
    """

    name: ClassVar = 'list'
    source: ClassVar = 'lists as SPLC (arXiv 2112.07368) and SCPNet distribute them'

    ann_file: str

    def __post_init__(self) -> None:
        self.positives: dict[str, list[int]] = {
            entry.image: entry.positives for entry in read_label_list(self.ann_file)
        }

    def mask(self, score: np.ndarray, index: int, image: str) -> np.ndarray:
        """See :func:`keep_listed`."""
        positives = self._find(image)
        outside = [label for label in positives if not 0 <= label < len(score)]
        if outside:
            raise ValueError(
                f'{self.ann_file}: label {outside[0]} of {image} is outside '
                f'0..{len(score) - 1}'
            )
        try:
            return keep_listed(score, positives)
        except ValueError as error:
            raise ValueError(f'{self.ann_file}, {image}: {error}') from None

    def _find(self, image: str) -> list[int]:
        parts = Path(image).as_posix().replace('\\', '/').split('/')
        for start in reversed(range(len(parts))):
            found = self.positives.get('/'.join(parts[start:]))
            if found is not None:
                return found
        raise ValueError(f'{self.ann_file} has no line for {image}')


@dataclass
class KeepPositives(SeededProtocol):
    """A part of the positives; all else is unknown.

    ``rule='splc'`` keeps as many as SPLC's lists do, which exist for ratios of 0.75
    and 0.4; ``'each'`` keeps each with the probability ``ratio``.
    """

    name: ClassVar = 'keep-positives'
    source: ClassVar = 'Zhang et al. (SPLC), arXiv 2112.07368: "75%" and "40%" left'

    ratio: float = field(kw_only=True)
    rule: str = field(default='splc', kw_only=True)

    def __post_init__(self) -> None:
        if self.rule not in ('splc', 'each'):
            raise ValueError(
                f"{self.name}: rule must be 'splc' or 'each', found {self.rule!r}"
            )
        self._check_share('ratio')
        if self.rule == 'splc' and self.ratio not in SPLC_DIVISORS:
            raise ValueError(
                f'{self.name}: SPLC has lists with {list(SPLC_DIVISORS)} of the labels '
                f"left, found ratio {self.ratio}; rule 'each' takes any"
            )

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :mod:`.positives`."""
        if self.rule == 'each':
            return keep_each_positive(score, rng, self.ratio)
        return keep_positives_splc(score, rng, SPLC_DIVISORS[self.ratio])


@dataclass
class _Ratio(SeededProtocol):
    ratio: float = field(kw_only=True)

    def __post_init__(self) -> None:
        self._check_share('ratio')


@dataclass
class Partial(_Ratio):
    """Each known label, positive or negative, with the same probability."""

    name: ClassVar = 'partial'
    source: ClassVar = 'Durand et al., CVPR 2019; the draw is that of PartialLabel'

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`keep_ratio`."""
        return keep_ratio(score, rng, self.ratio)


@dataclass
class PartialPerImage(_Ratio):
    """The same share of the known labels in every image, positive or negative."""

    name: ClassVar = 'partial-per-image'
    source: ClassVar = 'Durand et al., CVPR 2019: labels dropped image by image'

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`keep_share`."""
        return keep_share(score, rng, self.ratio)


@dataclass
class AtLeastOne(_Ratio):
    """As ``partial``, but no image loses all its positives."""

    name: ClassVar = 'at-least-one'
    source: ClassVar = 'stress variant: annotators who always see something'

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`keep_at_least_one`."""
        return keep_at_least_one(score, rng, self.ratio)


@dataclass
class Noisy(SeededProtocol):
    """Known labels that are wrong, at given rates; nothing is hidden.

    The only protocol after which a known label may be false.
    """

    name: ClassVar = 'noisy'
    source: ClassVar = 'stress variant: annotators who err'

    wrong_positives: float = field(default=0.0, kw_only=True)
    wrong_negatives: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        self._check_share('wrong_positives', 'wrong_negatives')
        if self.wrong_positives == self.wrong_negatives == 0:
            raise ValueError(
                f'{self.name}: give wrong_positives (share of negatives that become '
                'positive), wrong_negatives (share of positives that become negative) '
                'or both'
            )

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See :func:`flip_labels`."""
        return flip_labels(score, rng, self.wrong_positives, self.wrong_negatives)
