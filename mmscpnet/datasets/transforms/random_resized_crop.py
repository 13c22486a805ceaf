"""A random part of the image, resized as torchvision does, several times as fast."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.datasets.transforms import RandomResizedCrop

from mmscpnet.registry import TRANSFORMS


def resize_antialiased(
    img: np.ndarray, size: tuple[int, int], interpolation: str = 'bilinear'
) -> np.ndarray:
    """Resize with a filter as wide as the reduction, as Pillow does.

    Args:
        img: ``(H, W)`` or ``(H, W, C)``, uint8 or float; may be a view of an image.
        size: height and width of the result.
        interpolation: ``'bilinear'`` or ``'bicubic'``.

    Returns:
        numpy.ndarray: of the same type, within 1 of Pillow's values.
    """
    if interpolation == 'bilinear' and size[0] >= len(img) and size[1] >= img.shape[1]:
        # Nothing is left out when an image grows.
        return cv2.resize(img, size[::-1], interpolation=cv2.INTER_LINEAR)
    # torch works on the bytes as they lie; its uint8 filters use vector instructions.
    tensor = torch.from_numpy(img if img.ndim == 3 else img[..., None])
    resized = F.interpolate(
        tensor.permute(2, 0, 1)[None], size, mode=interpolation, antialias=True
    )
    resized = resized[0].permute(1, 2, 0)
    return (resized if img.ndim == 3 else resized[..., 0]).numpy()


@TRANSFORMS.register_module()
class AntialiasedRandomResizedCrop(RandomResizedCrop):
    """mmpretrain's ``RandomResizedCrop`` with torch's antialiased resizing.

    The values are those of its slow backend ``pillow``, which torchvision has too; its
    fast backend ``cv2`` leaves out pixels when it makes an image smaller.

    **Required Keys:**

    - img

    **Modified Keys:**

    - img
    - img_shape

    Args:
        scale: height and width of the result, or one number for both.
        crop_ratio_range: area of the part, relative to the image.
        aspect_ratio_range: width over height of the part.
        max_attempts: draws before the centre of the image is taken.
        interpolation: ``'bilinear'`` or ``'bicubic'``.
    """

    def __init__(
        self,
        scale,
        crop_ratio_range: tuple = (0.08, 1.0),
        aspect_ratio_range: tuple = (3.0 / 4.0, 4.0 / 3.0),
        max_attempts: int = 10,
        interpolation: str = 'bilinear',
    ) -> None:
        if interpolation not in ('bilinear', 'bicubic'):
            raise ValueError(
                f'{type(self).__name__}: interpolation must be bilinear or bicubic, '
                f'found {interpolation!r}'
            )
        super().__init__(
            scale, crop_ratio_range, aspect_ratio_range, max_attempts, interpolation
        )

    def transform(self, results: dict) -> dict:
        """Crop and resize."""
        img = results['img']
        top, left, height, width = self.rand_crop_params(img)
        part = img[top : top + height, left : left + width]
        results['img'] = resize_antialiased(part, self.scale, self.interpolation)
        results['img_shape'] = results['img'].shape
        return results
