"""Transforms that hide labels, as the field's protocols do."""

import numpy as np
from mmcv.transforms import BaseTransform

from mmscpnet.datasets.list_dataset import read_label_list
from mmscpnet.datasets.protocols import (
    keep_listed,
    keep_ratio,
    sample_rng,
    single_positive,
)
from mmscpnet.registry import TRANSFORMS


class LabelMasking(BaseTransform):
    """Base of the transforms that make labels incomplete.

    **Required Keys:**

    - gt_score, ``(C,)`` int8 in {1, 0, -1}
    - sample_idx

    **Modified Keys:**

    - gt_score, with more -1
    - gt_label, the positives still known

    **Added Keys:**

    - full_gt_score, the labels before, for diagnosis only; no loss reads them

    The labels an image keeps depend on the seed and on its ``sample_idx`` alone.
    """

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """``(C,)`` scores of an image -> the same with some of them -1."""
        raise NotImplementedError

    def transform(self, results: dict) -> dict:
        """Mask ``gt_score``."""
        if 'gt_score' not in results:
            raise ValueError(
                f'{type(self).__name__}: the sample has no gt_score. Use a dataset of '
                'mmscpnet.datasets, which gives every label its state'
            )
        full = results['gt_score']
        masked = self.mask(full, results)
        results.setdefault('full_gt_score', full)
        results['gt_score'] = masked
        results['gt_label'] = np.flatnonzero(masked == 1).tolist()
        return results


@TRANSFORMS.register_module()
class SinglePositiveLabel(LabelMasking):
    """Keep one positive label an image, drawn uniformly; the rest is unknown.

    Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021.
    Keys: see :class:`LabelMasking`.

    Args:
        seed: of the draw.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """See :func:`single_positive`."""
        return single_positive(score, sample_rng(self.seed, results['sample_idx']))

    def __repr__(self) -> str:
        return f'{type(self).__name__}(seed={self.seed})'


@TRANSFORMS.register_module()
class PartialLabel(LabelMasking):
    """Keep each known label, positive or negative, with the same probability.

    Durand et al., "Learning a Deep ConvNet for Multi-label Classification with Partial
    Labels", CVPR 2019. Keys: see :class:`LabelMasking`.

    Args:
        ratio: share of labels that stay known, in [0, 1].
        seed: of the draw.
    """

    def __init__(self, ratio: float, seed: int = 0) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f'PartialLabel: ratio must lie in [0, 1], found {ratio}')
        self.ratio = ratio
        self.seed = seed

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """See :func:`keep_ratio`."""
        rng = sample_rng(self.seed, results['sample_idx'])
        return keep_ratio(score, rng, self.ratio)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(ratio={self.ratio}, seed={self.seed})'


@TRANSFORMS.register_module()
class FixedLabel(LabelMasking):
    """Keep the positives that a list file names; the rest is unknown.

    For published label sets, such as SPLC's single positives. Images are found by the
    end of their path, so the list may name them with or without folders.
    Keys: see :class:`LabelMasking`, and img_path.

    Args:
        ann_file: list file, lines ``name.jpg,3 17``.
    """

    def __init__(self, ann_file: str) -> None:
        self.ann_file = ann_file
        self.positives: dict[str, list] = {
            entry.image: entry.positives for entry in read_label_list(ann_file)
        }

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """See :func:`keep_listed`."""
        path = results['img_path']
        positives = self._find(path)
        outside = [label for label in positives if not 0 <= label < len(score)]
        if outside:
            raise ValueError(
                f'{self.ann_file}: label {outside[0]} of {path} is outside '
                f'0..{len(score) - 1}'
            )
        try:
            return keep_listed(score, positives)
        except ValueError as error:
            raise ValueError(f'{self.ann_file}, {path}: {error}') from None

    def _find(self, path: str) -> list:
        parts = path.replace('\\', '/').split('/')
        for start in reversed(range(len(parts))):
            found = self.positives.get('/'.join(parts[start:]))
            if found is not None:
                return found
        raise ValueError(f'{self.ann_file} has no line for {path}')

    def __repr__(self) -> str:
        return f'{type(self).__name__}(ann_file={self.ann_file!r})'
