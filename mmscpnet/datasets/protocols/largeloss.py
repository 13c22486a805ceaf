"""Single positives and hold-out as Cole et al. draw them and LargeLoss uses them.

Cole et al., "Multi-Label Learning from Single Positive Labels", CVPR 2021, publish the
scripts; Kim et al., "Large Loss Matters in Weakly Supervised Multi-Label
Classification", CVPR 2022, and later work build on them. What they do:

- The images are put in an order. COCO: their ids, sorted as *strings* ("100" before
  "99"). PASCAL VOC 2012: the file names, sorted. Of both, images without a positive
  take no part. CUB and NUS-WIDE: all images, as listed.
- A new ``RandomState(1200)`` goes through them once. For each image it shuffles the
  indices of the positives, of which the first is kept, and then those of the negatives,
  of which none is kept. The second shuffle changes no label of this image, but moves
  the random numbers on, so all later images depend on it.
- Of N images ``round(0.2 * N)`` are held out: the last of a permutation by another
  ``RandomState(1200)``. They keep all their labels and choose the epoch. Both parts
  stay in the order above.

``RandomState`` is frozen: it gives the same numbers in every release of NumPy.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

SEED = 1200
HELD_OUT_SHARE = 0.2
_COCO_NAME = re.compile(r'COCO_\w+_(\d{12})\.\w+$')
_VOC_NAME = re.compile(r'(\d{4}_\d{6})\.\w+$')


def published_order(images: Sequence[str], has_positive: np.ndarray) -> np.ndarray:
    """The order in which the published code goes through the images.

    Where all are named as COCO's are, their ids are sorted as strings; where all are
    named as those of VOC 2008 to 2012 are, the names are sorted; of both, images
    without a positive are left out. Otherwise all stay as they are.

    Args:
        images: their N paths.
        has_positive: ``(N,)`` bool.

    Returns:
        ``(M,)`` positions, M at most N.
    """
    for pattern, key in ((_COCO_NAME, lambda text: str(int(text))), (_VOC_NAME, str)):
        found = [pattern.search(image) for image in images]
        if found and all(found):
            names = np.array([key(match[1]) for match in found])
            order = np.argsort(names, kind='stable')
            return order[has_positive[order]]
    return np.arange(len(images))


def draw_positives(rows: Iterable[np.ndarray], seed: int = SEED) -> np.ndarray:
    """The positive that each image keeps.

    Args:
        rows: ``(C,)`` labels of the images in the order of the published code.
        seed: of ``RandomState``.

    Returns:
        ``(N,)`` int32; -1 where an image has no positive. Its negatives are shuffled
        like those of the others.

    Raises:
        ValueError: a label is unknown: the published procedure draws from all labels.
    """
    rng = np.random.RandomState(seed)
    kept = []
    for number, row in enumerate(rows):
        positives = (row == 1).nonzero()[0]
        negatives = (row == 0).nonzero()[0]
        if len(positives) + len(negatives) < len(row):
            raise ValueError(
                f'image {number} has unknown labels: this protocol starts from images '
                'that are labelled completely'
            )
        rng.shuffle(positives)
        rng.shuffle(negatives)
        kept.append(positives[0] if len(positives) else -1)
    return np.array(kept, dtype=np.int32)


def hold_out(
    num_images: int, fraction: float = HELD_OUT_SHARE, seed: int = SEED
) -> np.ndarray:
    """Which images are held out, ``(N,)`` bool, in the order of the published code."""
    order = np.random.RandomState(seed).permutation(num_images)
    held = int(np.round(fraction * num_images))
    mask = np.zeros(num_images, dtype=bool)
    mask[order[num_images - held :]] = True
    return mask
