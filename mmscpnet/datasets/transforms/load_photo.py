"""Reading of photos, whatever they are stored as."""

from collections.abc import Sequence
from typing import Optional

import mmcv
import numpy as np
from mmengine import fileio

from mmscpnet.datasets.photos import WHITE, BadPhoto, decode_photo
from mmscpnet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImageFromFile(mmcv.transforms.LoadImageFromFile):
    """Read a photo as 8-bit BGR, upright, or say what is wrong with it.

    In place of mmcv's transform of this name, which takes half a photo for a whole,
    the hidden colours of what is transparent, and any amount of memory. An ordinary
    JPEG gives the same values, by the same decoder; see
    :func:`mmscpnet.datasets.photos.decode_photo` for all else.

    **Required Keys:**

    - img_path

    **Modified Keys:**

    - img
    - img_shape
    - ori_shape

    Args:
        to_float32: whether the pixels become float32.
        background: R, G, B behind transparent pixels.
        backend_args: of mmengine's file backend, for addresses that are not paths.

    Raises:
        BadPhoto: the photo is damaged; the path is named. A dataset of mmscpnet leaves
            such photos out with ``bad_photos='skip'``.
        FileNotFoundError: there is no such file.
    """

    def __init__(
        self,
        to_float32: bool = False,
        background: Sequence[int] = WHITE,
        *,
        backend_args: Optional[dict] = None,
    ) -> None:
        super().__init__(to_float32=to_float32, backend_args=backend_args)
        values = tuple(background)
        if len(values) != 3 or not all(v in range(256) for v in values):
            raise ValueError(
                'LoadImageFromFile: background must be R, G, B from 0 to 255, found '
                f'{background!r}'
            )
        self.background = values

    def transform(self, results: dict) -> dict:
        """Read and decode."""
        path = results['img_path']
        content = fileio.get(path, backend_args=self.backend_args)
        try:
            img = decode_photo(content, self.background)
        except BadPhoto as error:
            raise BadPhoto(f'the photo {path} cannot be used: {error}') from error
        results['img'] = img.astype(np.float32) if self.to_float32 else img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(to_float32={self.to_float32}, '
            f'background={self.background}, backend_args={self.backend_args})'
        )
