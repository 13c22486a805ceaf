"""Photos in every form that a user may have them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

import cv2
import numpy as np
import torch
from mmengine.fileio import get_file_backend
from PIL import Image

from mmscpnet.datasets.formats.photo_files import ENDINGS
from mmscpnet.datasets.photos import WHITE, pillow_to_bgr

Photo = Union[str, Path, np.ndarray, Image.Image]


class Item(NamedTuple):
    """One input.

    Attributes:
        index: its number.
        photo: as it was given; a path or address as a string.
        name: the path, within the folder where one was given; or ``image 3``.
    """

    index: int
    photo: Photo
    name: str

    @property
    def path(self) -> Optional[str]:
        """Path or address, None of an array."""
        return self.photo if isinstance(self.photo, str) else None


def list_inputs(
    inputs: Union[Photo, Iterable[Photo]], backend_args: Optional[dict] = None
) -> tuple[Iterator[Item], Optional[int]]:
    """Inputs one by one, nothing read yet.

    Args:
        inputs: a photo; a folder, of which all photos are taken, those of sub-folders
            too; or a list, generator or other iterable of photos.
        backend_args: of mmengine's file backend, for addresses that are not paths.

    Returns:
        tuple: the items, and how many there are if that is known.

    Raises:
        ValueError: a folder without photos, or something that holds no photos.
    """
    if isinstance(inputs, (str, Path)):
        inputs = str(inputs)
        backend = get_file_backend(inputs, backend_args=backend_args)
        # An HTTP server has no folders to list.
        if hasattr(backend, 'isdir') and backend.isdir(inputs):
            names = _photos_in(inputs, backend)
            paths = [backend.join_path(inputs, name) for name in names]
            return map(Item, range(len(names)), paths, names), len(names)
        return iter([_item(0, inputs)]), 1
    if isinstance(inputs, (np.ndarray, Image.Image, torch.Tensor)):
        return iter([_item(0, inputs)]), 1
    if isinstance(inputs, (dict, bytes)) or not isinstance(inputs, Iterable):
        raise ValueError(
            'photos are a path, an address, an array, an image of Pillow, a folder, or '
            f'several of them in a list or generator; found {type(inputs).__name__}'
        )
    total = len(inputs) if isinstance(inputs, Sequence) else None
    return (_item(index, photo) for index, photo in enumerate(inputs)), total


def _item(index: int, photo: Photo) -> Item:
    if isinstance(photo, (str, Path)):
        return Item(index, str(photo), str(photo))
    return Item(index, photo, f'image {index}')


def _photos_in(folder: str, backend) -> list[str]:
    names = backend.list_dir_or_file(folder, list_dir=False, recursive=True)
    found = sorted(name for name in names if name.lower().endswith(ENDINGS))
    if not found:
        raise ValueError(
            f'the folder {folder} has no photos (files that end in '
            f'{", ".join(ENDINGS)})'
        )
    return found


def read_photo(item: Item, loader) -> dict:
    """Read an input into what a pipeline takes after its ``LoadImageFromFile``.

    Args:
        item: the input.
        loader: the ``LoadImageFromFile`` of the pipeline, which reads paths.

    Returns:
        dict: ``img`` ``(H, W, 3)`` BGR, ``img_shape``, ``ori_shape``, ``img_path``.

    Raises:
        ValueError: it is no photo.
    """
    if item.path is not None:
        return loader(dict(img_path=item.path, sample_idx=item.index))
    if isinstance(item.photo, Image.Image):
        img = pillow_to_bgr(item.photo, getattr(loader, 'background', WHITE))
    else:
        img = _array_to_bgr(item.photo)
    if loader.to_float32:
        img = img.astype(np.float32)
    shape = img.shape[:2]
    return dict(
        img=img,
        img_shape=shape,
        ori_shape=shape,
        img_path=item.path,
        sample_idx=item.index,
    )


def _array_to_bgr(array) -> np.ndarray:
    if not isinstance(array, np.ndarray):
        raise ValueError(
            'a photo is a path, an address, a NumPy array or an image of Pillow, found '
            f'{type(array).__name__}'
        )
    shape = array.shape
    grey = array.ndim == 2 or (array.ndim == 3 and shape[2] == 1)
    if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and shape[2] == 3)):
        raise ValueError(
            'an array must be uint8 of shape (H, W, 3), in the order B, G, R, or '
            f'(H, W) if it is grey; found {array.dtype} of shape {shape}'
        )
    if 0 in shape:
        raise ValueError(f'the array is empty: shape {shape}')
    # A copy: transforms may write into what they are given.
    return cv2.cvtColor(array, cv2.COLOR_GRAY2BGR) if grey else array.copy()
