"""Keeping a part of the positives of an image; everything else becomes unknown.

Zhang et al., "Simple and Robust Loss Design for Multi-Label Learning with Missing
Labels" (Hill loss and SPLC), publish lists of COCO's 82,081 training photos with "75%"
and "40%" of the 241,035 labels left: 181,422 and 96,251 of them. How they were drawn is
not published. In the lists, a photo with n labels has ``floor(n/2) + 1`` left in the
first and ``floor(n/5) + 1`` in the second, never none; which labels these are, no seed
tells. So the numbers can be reproduced to the last label and the draw cannot; the
published lists themselves are read by the protocol ``list``.
"""

import numpy as np

from .masking import hide_all

#: SPLC's lists by the share of labels they leave on COCO, and what is left of n
#: labels: ``n // divisor + 1``.
SPLC_DIVISORS = {0.75: 2, 0.4: 5}


def keep_each_positive(
    score: np.ndarray, rng: np.random.Generator, ratio: float
) -> np.ndarray:
    """Keep every positive with probability ``ratio``; an image may keep none."""
    masked = hide_all(score)
    kept = (score == 1) & (rng.random(len(score)) < ratio)
    masked[kept] = 1
    return masked


def keep_positives_splc(
    score: np.ndarray, rng: np.random.Generator, divisor: int
) -> np.ndarray:
    """Keep ``n // divisor + 1`` of n positives (at most n), drawn uniformly.

    Args:
        score: ``(C,)``.
        rng: of the draw.
        divisor: see :data:`SPLC_DIVISORS`.
    """
    positives = (score == 1).nonzero()[0]
    masked = hide_all(score)
    masked[rng.permutation(positives)[: len(positives) // divisor + 1]] = 1
    return masked
