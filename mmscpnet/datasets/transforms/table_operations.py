"""Operations on pixel values in eight bits, most of them one look-up in a table.

mmpretrain's transforms of these operations go through floating point or loop over the
values of a pixel; a table gives the results of Pillow, which FixMatch uses, in a
fraction of the time. Images are ``(H, W)`` or ``(H, W, 3)`` uint8.
"""

import math

import cv2
import numpy as np
from mmpretrain.datasets.transforms import (
    AutoContrast,
    Brightness,
    Contrast,
    Equalize,
    Posterize,
    Sharpness,
    Solarize,
)

from mmscpnet.registry import TRANSFORMS

# Pillow's filter SMOOTH.
SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
IDENTITY = np.arange(256, dtype=np.uint8)


def histograms(img: np.ndarray) -> np.ndarray:
    """How often each value occurs in each channel, ``(channels, 256)`` int64."""
    channels = 1 if img.ndim == 2 else img.shape[2]
    counts = [cv2.calcHist([img], [c], None, [256], [0, 256]) for c in range(channels)]
    return np.reshape(counts, (channels, 256)).astype(np.int64)


def auto_contrast_table(histogram: np.ndarray) -> np.ndarray:
    """Stretch the values that occur to 0..255; ``(256,)`` -> ``(256,)`` uint8."""
    occurring = np.flatnonzero(histogram)
    low, high = occurring[0], occurring[-1]
    if high == low:
        return IDENTITY
    scale = 255.0 / (high - low)
    # Truncated, as Pillow does.
    return np.clip(np.arange(256) * scale - low * scale, 0, 255).astype(np.uint8)


def equalize_table(histogram: np.ndarray) -> np.ndarray:
    """Make all values as frequent as one another; ``(256,)`` -> ``(256,)`` uint8."""
    occurring = histogram[histogram > 0]
    step = (occurring.sum() - occurring[-1]) // 255
    if step == 0:
        return IDENTITY
    below = np.cumsum(histogram) - histogram
    return np.minimum((step // 2 + below) // step, 255).astype(np.uint8)


def blend_table(grey: int, factor: float) -> np.ndarray:
    """Values between a grey (factor 0) and themselves (1), ``(256,)`` uint8."""
    grey = np.float32(grey)
    blended = grey + np.float32(factor) * (np.arange(256, dtype=np.float32) - grey)
    return np.clip(blended, 0, 255).astype(np.uint8)


def solarize_table(threshold: float) -> np.ndarray:
    """Values from the threshold on are inverted, ``(256,)`` uint8."""
    return np.where(IDENTITY < threshold, IDENTITY, 255 - IDENTITY)


def posterize_table(bits: int) -> np.ndarray:
    """Only the highest bits stay, ``(256,)`` uint8."""
    return IDENTITY & np.uint8(256 - (1 << (8 - bits)))


def look_up(img: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Apply one table ``(256,)``, or one a channel ``(channels, 256)``."""
    return cv2.LUT(img, np.ascontiguousarray(np.atleast_2d(tables).T[None]))


@TRANSFORMS.register_module()
class TableAutoContrast(AutoContrast):
    """mmpretrain's ``AutoContrast``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Stretch each channel to 0..255."""
        if not self.random_disable():
            img = results['img']
            tables = [auto_contrast_table(counts) for counts in histograms(img)]
            results['img'] = look_up(img, np.stack(tables))
        return results


@TRANSFORMS.register_module()
class TableEqualize(Equalize):
    """mmpretrain's ``Equalize``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Equalise the histogram of each channel."""
        if not self.random_disable():
            img = results['img']
            tables = [equalize_table(counts) for counts in histograms(img)]
            results['img'] = look_up(img, np.stack(tables))
        return results


@TRANSFORMS.register_module()
class TableBrightness(Brightness):
    """mmpretrain's ``Brightness``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Blend the image with black."""
        if not self.random_disable():
            magnitude = self.magnitude
            if magnitude is None:
                magnitude = self.random_magnitude()
            factor = 1 + self.random_negative(magnitude)
            results['img'] = look_up(results['img'], blend_table(0, factor))
        return results


@TRANSFORMS.register_module()
class TableContrast(Contrast):
    """mmpretrain's ``Contrast``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Blend the image with its mean grey."""
        if not self.random_disable():
            img = results['img']
            magnitude = self.magnitude
            if magnitude is None:
                magnitude = self.random_magnitude()
            grey = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY) if img.ndim == 3 else img
            mean = int(cv2.mean(grey)[0] + 0.5)
            factor = 1 + self.random_negative(magnitude)
            results['img'] = look_up(img, blend_table(mean, factor))
        return results


@TRANSFORMS.register_module()
class TableSolarize(Solarize):
    """mmpretrain's ``Solarize``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Invert the values from the threshold on."""
        if not self.random_disable():
            threshold = self.thr
            if threshold is None:
                threshold = self.random_magnitude()
            results['img'] = look_up(results['img'], solarize_table(threshold))
        return results


@TRANSFORMS.register_module()
class TablePosterize(Posterize):
    """mmpretrain's ``Posterize``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Keep the highest bits of each value."""
        if not self.random_disable():
            bits = self.bits
            if bits is None:
                bits = self.random_magnitude()
            table = posterize_table(math.ceil(bits))
            results['img'] = look_up(results['img'], table)
        return results


@TRANSFORMS.register_module()
class EightBitSharpness(Sharpness):
    """mmpretrain's ``Sharpness``; options and keys are the same."""

    def transform(self, results: dict) -> dict:
        """Blend the image with itself smoothed."""
        if not self.random_disable():
            magnitude = self.magnitude
            if magnitude is None:
                magnitude = self.random_magnitude()
            factor = 1 + self.random_negative(magnitude)
            img = results['img']
            smooth = cv2.filter2D(img, -1, SMOOTH)
            results['img'] = cv2.addWeighted(img, factor, smooth, 1 - factor, 0)
        return results
