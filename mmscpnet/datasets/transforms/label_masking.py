"""Transforms that hide labels, as the field's protocols do."""

from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform

from mmscpnet.datasets.protocols import (
    LabelTable,
    build_protocol,
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
        results['gt_label'] = (masked == 1).nonzero()[0].tolist()
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
        self.protocol = build_protocol('list', ann_file=ann_file)

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """See :func:`keep_listed`."""
        return self.protocol.mask(score, results['sample_idx'], results['img_path'])

    def __repr__(self) -> str:
        return f'{type(self).__name__}(ann_file={self.ann_file!r})'


@TRANSFORMS.register_module()
class LabelProtocol(LabelMasking):
    """Any protocol of :data:`mmscpnet.datasets.protocols.PROTOCOLS`, by name.

    The labels are those that ``make_incomplete_labels.py`` writes for the same
    annotation file and options; nothing is written here. Some protocols (SARB's
    matrix, few-shot) look at all labels at once, and a transform sees one image. So the
    dataset shows its whole annotation file to :meth:`prepare` when it loads it: in the
    main process, before workers start, and before ``indices`` or a subset leave images
    out. What the protocol keeps of it is small (a bit a label, or a number an image)
    and, where workers are forked, shared by all of them. Images are told by their
    position in the file, so repeating or concatenating datasets changes nothing; each
    part of a ``ConcatDataset`` has the labels of its own file.

    ``noisy`` makes labels wrong instead of hiding them.
    Keys: see :class:`LabelMasking`, and img_path, position.

    Args:
        protocol: its name.
        seed: of the draw; None takes the protocol's own, such as 1200 of
            ``spml-largeloss``.
        **options: the protocol's, such as ``ratio``;
            ``make_incomplete_labels.py --show-names`` lists them.
    """

    def __init__(self, protocol: str, seed: Optional[int] = None, **options) -> None:
        if seed is not None:
            options['seed'] = seed
        self.protocol = build_protocol(protocol, **options)
        self._prepared = not self.protocol.whole_set

    @property
    def needs_label_table(self) -> bool:
        """Whether the dataset must call :meth:`prepare`."""
        return self.protocol.whole_set

    def prepare(self, table: LabelTable) -> None:
        """Take note of the labels of the whole annotation file."""
        self.protocol.prepare(table)
        self._prepared = True

    def mask(self, score: np.ndarray, results: dict) -> np.ndarray:
        """See :meth:`Protocol.mask`."""
        if not self._prepared:
            raise ValueError(
                f'LabelProtocol: {self.protocol.name} has to see the labels of the '
                'whole set. It belongs into the pipeline of a dataset of '
                'mmscpnet.datasets, not inside another transform'
            )
        return self.protocol.mask(score, results['position'], results['img_path'])

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.protocol.name!r}, {self.protocol})'
