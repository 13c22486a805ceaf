"""Partial labels drawn as one matrix over images x classes.

Both functions yield the matrix in portions: the generators give the same numbers in
pieces as at once, and the 64-bit numbers of a whole set would take eight times the
memory of its labels.
"""

from collections.abc import Iterator

import numpy as np
import torch

ROWS = 4096


def sarb_kept(
    num_images: int, num_classes: int, ratio: float, seed: int = 0, rows: int = ROWS
) -> Iterator[np.ndarray]:
    """Which labels stay known: ``np.random.seed(0)``, ``np.random.random((N, C)) < p``.

    Pu et al., "Semantic-Aware Representation Blending for Multi-Label Image Recognition
    with Partial Labels" (SARB), AAAI 2022; also SST and HST, whose code does the same
    for COCO 2014, VOC 2007 and VG-200. Positives and negatives alike; rows are the
    images in the order of the annotation file (COCO: its list of images, all 82,783 of
    them; VOC: ``trainval.txt``), columns the classes, COCO's in the order of their ids
    and VOC's by name. At 10% most images keep no positive.

    Args:
        num_images: N.
        num_classes: C.
        ratio: p.
        seed: 0 in the published code.
        rows: how many are drawn at a time.

    Yields:
        ``(rows, C)`` bool, N rows in all.
    """
    rng = np.random.RandomState(seed)
    for start in range(0, num_images, rows):
        yield rng.random_sample((min(rows, num_images - start), num_classes)) < ratio


def dualcoop_kept(
    num_images: int, num_classes: int, ratio: float, seed: int = 0, rows: int = ROWS
) -> Iterator[np.ndarray]:
    """Which labels stay known: ``torch.rand(N, C) < p``.

    Sun et al., "DualCoOp: Fast Adaptation to Multi-Label Recognition with Limited
    Annotations", NeurIPS 2022. The published code draws with PyTorch's global
    generator in whatever state it is and stores the mask; no mask is published. So
    the procedure is the same here and the seed our own. Rows are, for COCO, the images
    with annotations as the annotations first mention them (82,081; ``coco2014.py
    --order annotations``), for VOC 2007 those of ``trainval.txt``.

    Args:
        num_images: N.
        num_classes: C.
        ratio: p.
        seed: of the generator.
        rows: how many are drawn at a time.

    Yields:
        ``(rows, C)`` bool, N rows in all.
    """
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, num_images, rows):
        shape = (min(rows, num_images - start), num_classes)
        yield (torch.rand(shape, generator=generator) < ratio).numpy()
