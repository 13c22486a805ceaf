"""Random numbers that depend on a key alone: not on what was drawn before."""

import random
from hashlib import blake2b

import numpy as np
import torch


def seed_by_key(*key: int) -> None:
    """Seed Python's, NumPy's and torch's global generators from a key.

    After it, whatever draws random numbers draws the same ones for the same key, in
    any process and whatever was drawn before. It takes some 15 microseconds.

    Args:
        *key: whole numbers, such as seed, epoch and index of an image.
    """
    digest = blake2b(repr(key).encode(), digest_size=16).digest()
    random.seed(digest[:4])
    np.random.seed(int.from_bytes(digest[4:8], 'little'))
    word = int.from_bytes(digest[8:], 'little') >> 1
    # torch.manual_seed does the same, and takes ten times as long.
    torch.default_generator.manual_seed(word)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(word)
