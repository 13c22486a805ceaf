"""Label masking of one image, as pure functions.

Scores are ``(C,)`` int8 in {1, 0, -1}. What is hidden becomes -1; nothing is ever
invented: what is known afterwards was known before, with the same value.
"""

from collections.abc import Sequence

import numpy as np


def sample_rng(seed: int, sample_idx: int) -> np.random.Generator:
    """The random numbers of one image: a function of (seed, index) and nothing else.

    So labels are the same in every epoch, worker and process, and in any order.
    """
    return np.random.default_rng((seed, sample_idx))


def single_positive(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep one positive, drawn uniformly; all else becomes unknown.

    The single positive label setting of Cole et al., CVPR 2021. An image without
    positives keeps nothing.
    """
    masked = np.full_like(score, -1)
    positives = np.flatnonzero(score == 1)
    if len(positives):
        masked[positives[rng.integers(len(positives))]] = 1
    return masked


def keep_ratio(score: np.ndarray, rng: np.random.Generator, ratio: float) -> np.ndarray:
    """Keep every known label, positive or negative, with probability ``ratio``.

    The partial label setting of Durand et al., CVPR 2019. An image may keep no
    positive, or nothing at all.
    """
    return np.where(rng.random(len(score)) < ratio, score, score.dtype.type(-1))


def keep_listed(score: np.ndarray, positives: Sequence[int]) -> np.ndarray:
    """Keep the listed positives; all else becomes unknown.

    Raises:
        ValueError: a listed label is a known negative of the image.
    """
    positives = np.asarray(positives, dtype=np.int64)
    wrong = positives[score[positives] == 0]
    if len(wrong):
        raise ValueError(f'label {wrong[0]} is listed as positive, but is negative')
    masked = np.full_like(score, -1)
    masked[positives] = 1
    return masked
