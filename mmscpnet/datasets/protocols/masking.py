"""Label masking of one image, as pure functions.

Scores are ``(C,)`` int8 in {1, 0, -1}. What is hidden becomes -1; nothing is ever
invented: what is known afterwards was known before, with the same value.
"""

from collections.abc import Sequence

import numpy as np

_LARGEST = 2**32


def sample_rng(seed: int, sample_idx: int) -> np.random.Generator:
    """The random numbers of one image: a function of (seed, index) and nothing else.

    So labels are the same in every epoch, worker and process, and in any order. They
    are the numbers of ``np.random.default_rng((seed, sample_idx))``.
    """
    if 0 <= seed < _LARGEST and 0 <= sample_idx < _LARGEST:
        # An array of 32-bit words is what NumPy would make of the two numbers; given
        # as such, it saves a quarter of the time that masking takes.
        words = np.array([seed, sample_idx], dtype=np.uint32)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))
    return np.random.default_rng((seed, sample_idx))


def hide_all(score: np.ndarray) -> np.ndarray:
    """``(C,)`` unknown labels, of the dtype of ``score``."""
    return np.full(len(score), -1, dtype=score.dtype)


def single_positive(score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep one positive, drawn uniformly; all else becomes unknown.

    The single positive label setting of Cole et al., CVPR 2021. An image without
    positives keeps nothing.
    """
    masked = hide_all(score)
    positives = (score == 1).nonzero()[0]
    if len(positives):
        masked[positives[rng.integers(len(positives))]] = 1
    return masked


def keep_ratio(score: np.ndarray, rng: np.random.Generator, ratio: float) -> np.ndarray:
    """Keep every known label, positive or negative, with probability ``ratio``.

    The partial label setting of Durand et al., CVPR 2019. An image may keep no
    positive, or nothing at all.
    """
    return keep_likely(score, rng, ratio)


def keep_likely(score: np.ndarray, rng: np.random.Generator, likely) -> np.ndarray:
    """Keep label c with probability ``likely[c]``, or all with the same.

    Args:
        score: ``(C,)``.
        rng: C numbers are drawn, one a label, whether it is known or not.
        likely: ``(C,)`` or a number, in [0, 1].
    """
    masked = score.copy()
    masked[rng.random(len(score)) >= likely] = -1
    return masked


def keep_share(score: np.ndarray, rng: np.random.Generator, ratio: float) -> np.ndarray:
    """Keep the same share of known labels in every image, positive and negative alike.

    Of K known labels ``floor(ratio * K + 1/2)`` stay, drawn without replacement: the
    labels of *each image* are thinned, so that all images have equally many, where
    :func:`keep_ratio` does so in expectation only.
    """
    known = (score != -1).nonzero()[0]
    kept = rng.permutation(known)[: int(ratio * len(known) + 0.5)]
    masked = hide_all(score)
    masked[kept] = score[kept]
    return masked


def keep_listed(score: np.ndarray, positives: Sequence[int]) -> np.ndarray:
    """Keep the listed positives; all else becomes unknown.

    Raises:
        ValueError: a listed label is a known negative of the image.
    """
    positives = np.asarray(positives, dtype=np.int64)
    wrong = positives[score[positives] == 0]
    if len(wrong):
        raise ValueError(f'label {wrong[0]} is listed as positive, but is negative')
    masked = hide_all(score)
    masked[positives] = 1
    return masked
