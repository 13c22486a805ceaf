"""Backgrounds of the demonstration scenes: gradients and coloured noise."""

from collections.abc import Sequence
from typing import Optional

import numpy as np


def coloured_noise(rng: np.random.Generator, size: int, exponent: float) -> np.ndarray:
    """Draw noise whose power falls with frequency as ``1 / f ** exponent``.

    Args:
        rng (numpy.random.Generator): Source of randomness.
        size (int): Side in pixels.
        exponent (float): 0 is white noise, 2 and more is clouds.

    Returns:
        numpy.ndarray: ``(size, size)``, mean 0, standard deviation 1.
    """
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    rows = np.fft.fftfreq(size)[:, None]
    columns = np.fft.rfftfreq(size)[None, :]
    frequency = np.sqrt(rows**2 + columns**2)
    frequency[0, 0] = 1.0
    spectrum *= (frequency ** (-exponent / 2)).astype(np.float32)
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return noise / noise.std()


def make_background(
    rng: np.random.Generator, size: int, palette: Optional[Sequence] = None
) -> np.ndarray:
    """Paint a gradient between two colours under brightness and colour noise.

    Args:
        rng (numpy.random.Generator): Source of randomness.
        size (int): Side in pixels.
        palette (Sequence, optional): RGB colours in [0, 255] to choose from; any
            colour without it.

    Returns:
        numpy.ndarray: ``(size, size, 3)`` of uint8.
    """
    if palette is None:
        grey = rng.uniform(60, 215, (2, 1))
        ends = grey + rng.uniform(-45, 45, (2, 3))
    else:
        ends = np.array([palette[rng.integers(len(palette))] for _ in range(2)], float)
        ends += rng.normal(0, 14, ends.shape)
    # Single precision halves the time and cannot be told apart in 8 bits.
    ends = ends.astype(np.float32)
    ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    across, down = float(np.cos(angle)), float(np.sin(angle))
    position = across * ramp[None, :] + down * ramp[:, None]
    # Noise moves the border between the two colours, so that no line shows.
    position = position + rng.uniform(0.05, 0.35) * coloured_noise(rng, size, 2.6)
    # A steep transition makes a horizon, a gentle one a wash.
    part = 1 / (1 + np.exp(-rng.uniform(2, 14) * position))
    image = ends[0] + part[..., None] * (ends[1] - ends[0])
    grain = coloured_noise(rng, size, rng.uniform(1.0, 2.4))
    image = image + rng.uniform(2, 9) * grain[..., None]
    tint = rng.normal(0, 6, 3).astype(np.float32)
    image = image + tint * coloured_noise(rng, size, 2.0)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)
