"""Operations on pixel values in eight bits, most of them one look-up in a table.

mmpretrain's transforms of these operations go through floating point or loop over the
values of a pixel; a table gives the results of Pillow, which FixMatch uses, in a
fraction of the time. Images are ``(H, W)`` or ``(H, W, 3)`` uint8.
"""

import math
from typing import Optional

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


class EightBitOperation:
    """What the operations share: they change an image, or leave it out at random.

    Comes before a class of mmpretrain, which has the options and the random numbers.
    """

    def transform(self, results: dict) -> dict:
        """Change ``img`` to another array; other views may use the old one."""
        if not self.random_disable():
            results['img'] = self.change(results['img'])
        return results

    def change(self, img: np.ndarray) -> np.ndarray:
        """The operation itself."""
        raise NotImplementedError

    def drawn(self, value: Optional[float]) -> float:
        """An option of the operation, drawn from ``magnitude_range`` if it is None."""
        return self.random_magnitude() if value is None else value

    def factor(self) -> float:
        """Weight of the image in a blend, as ``ImageEnhance`` of Pillow has it."""
        return 1 + self.random_negative(self.drawn(self.magnitude))


@TRANSFORMS.register_module()
class TableAutoContrast(EightBitOperation, AutoContrast):
    """mmpretrain's ``AutoContrast``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Stretch each channel to 0..255."""
        return look_up(img, np.stack([*map(auto_contrast_table, histograms(img))]))


@TRANSFORMS.register_module()
class TableEqualize(EightBitOperation, Equalize):
    """mmpretrain's ``Equalize``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Equalise the histogram of each channel."""
        return look_up(img, np.stack([*map(equalize_table, histograms(img))]))


@TRANSFORMS.register_module()
class TableBrightness(EightBitOperation, Brightness):
    """mmpretrain's ``Brightness``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Blend the image with black."""
        return look_up(img, blend_table(0, self.factor()))


@TRANSFORMS.register_module()
class TableContrast(EightBitOperation, Contrast):
    """mmpretrain's ``Contrast``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Blend the image with its mean grey."""
        grey = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY) if img.ndim == 3 else img
        return look_up(img, blend_table(int(cv2.mean(grey)[0] + 0.5), self.factor()))


@TRANSFORMS.register_module()
class TableSolarize(EightBitOperation, Solarize):
    """mmpretrain's ``Solarize``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Invert the values from the threshold on."""
        return look_up(img, solarize_table(self.drawn(self.thr)))


@TRANSFORMS.register_module()
class TablePosterize(EightBitOperation, Posterize):
    """mmpretrain's ``Posterize``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Keep the highest bits of each value."""
        return look_up(img, posterize_table(math.ceil(self.drawn(self.bits))))


@TRANSFORMS.register_module()
class EightBitSharpness(EightBitOperation, Sharpness):
    """mmpretrain's ``Sharpness``; options and keys are the same."""

    def change(self, img: np.ndarray) -> np.ndarray:
        """Blend the image with itself smoothed."""
        factor, smooth = self.factor(), cv2.filter2D(img, -1, SMOOTH)
        return cv2.addWeighted(img, factor, smooth, 1 - factor, 0)
