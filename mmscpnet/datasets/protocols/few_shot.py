"""A few labelled images of every class, the others without any label."""

from collections.abc import Sequence

import numpy as np


def labelled_images(
    images_of_class: Sequence[np.ndarray], num_images: int, shots: int, seed: int = 0
) -> np.ndarray:
    """Draw ``shots`` images that have each class; together they are the labelled ones.

    Few-shot multi-label recognition as in Alfassy et al. (LaSO, CVPR 2019) and Guo et
    al. (TaI-DPT, CVPR 2023): k images a class. An image that is drawn is labelled
    completely, so frequent classes come to have more than k. A class with fewer than k
    images gives all of them. The draw of a class depends on the seed, on its index and
    on its images, not on other classes.

    Args:
        images_of_class: the positions of the images that have each of the C classes.
        num_images: N.
        shots: k.
        seed: of the draws.

    Returns:
        ``(N,)`` bool.
    """
    labelled = np.zeros(num_images, dtype=bool)
    for index, images in enumerate(images_of_class):
        rng = np.random.default_rng((seed, index))
        labelled[rng.permutation(images)[:shots]] = True
    return labelled
