"""The sources a label similarity (Eq. 1) can come from.

A source has one method, ``similarity(classes) -> (C, C)``. It is asked in
``init_weights()``, never at construction, so building a config loads nothing.
The dynamic graph has no source: it is built from the learnt label features.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

import numpy as np
import torch
from torch import Tensor

from mmscpnet.registry import LABEL_SOURCES, MODELS

from .graph import cosine_similarity


@LABEL_SOURCES.register_module()
class TextSource:
    """Cosine of the features a text encoder gives the class names (Eq. 1).

    Args:
        text_encoder: config of any registered text encoder: CLIP's text tower, a
            transformers sentence encoder or word vectors.
        templates: one or several sentences with ``{}`` for the name; the features of
            several are averaged. The paper has "a photo of a [CLS]". Word vectors
            want ``'{}'``.
    """

    def __init__(
        self,
        text_encoder: dict,
        templates: Union[str, Sequence[str]] = 'a photo of a {}',
    ) -> None:
        self.text_encoder = text_encoder
        self.templates = [templates] if isinstance(templates, str) else list(templates)

    def similarity(self, classes: Sequence[str]) -> Tensor:
        """``(C, C)`` float32, in the order of ``classes``."""
        from mmscpnet.models.prompters import encode_labels

        encoder = self.text_encoder
        if isinstance(encoder, dict):
            encoder = MODELS.build(encoder)
            encoder.init_weights()
        return cosine_similarity(encode_labels(encoder, classes, self.templates))


@LABEL_SOURCES.register_module()
class FeatureFile:
    """Cosine of label features that a file holds.

    For features of other encoders, and for averages of image features per label
    (``tools/extract_features.py --label-averages``).

    Args:
        path: ``.npy`` or ``.pt`` with a ``(C, D)`` array in the order of the classes.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def similarity(self, classes: Sequence[str]) -> Tensor:
        """``(C, C)`` float32."""
        features = load_matrix(self.path)
        _check_rows(features, classes, self.path)
        return cosine_similarity(features)


@LABEL_SOURCES.register_module()
class SimilarityFile:
    """A label similarity that a file holds, as in the released code.

    Args:
        path: ``.npy`` or ``.pt`` with a ``(C, C)`` array in the order of the classes.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def similarity(self, classes: Sequence[str]) -> Tensor:
        """``(C, C)`` float32."""
        matrix = load_matrix(self.path)
        _check_rows(matrix, classes, self.path)
        return matrix


def average_features_per_label(features: Tensor, targets: Tensor) -> Tensor:
    """Average the features of the images on which a label is a known positive.

    Args:
        features: ``(N, D)``.
        targets: ``(N, C)`` in {1, 0, -1}; only the ones count.

    Returns:
        ``(C, D)`` float32.

    Raises:
        ValueError: a label without a known positive; its index is named.
    """
    positive = (targets == 1).float()
    count = positive.sum(dim=0)
    if (count == 0).any():
        index = int((count == 0).nonzero()[0])
        raise ValueError(
            f'label {index} has no known positive, so it has no average feature'
        )
    return positive.t() @ features.float() / count[:, None]


def load_matrix(path: Union[str, Path]) -> Tensor:
    """Read a two-dimensional float array from ``.npy`` or ``.pt``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another ending, or not two-dimensional.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no label matrix at {path}')
    if path.suffix == '.npy':
        matrix = torch.from_numpy(np.load(path, allow_pickle=False))
    elif path.suffix in ('.pt', '.pth'):
        matrix = torch.load(path, map_location='cpu', weights_only=True)
    else:
        raise ValueError(f'a label matrix is a .npy or .pt file, found {path}')
    if not isinstance(matrix, Tensor) or matrix.dim() != 2:
        found = tuple(matrix.shape) if isinstance(matrix, Tensor) else type(matrix)
        raise ValueError(f'{path} should hold a two-dimensional array, found {found}')
    return matrix.float()


def _check_rows(matrix: Tensor, classes: Sequence[str], path: str) -> None:
    if len(matrix) != len(classes):
        raise ValueError(
            f'{path} has {len(matrix)} rows, but there are {len(classes)} classes'
        )
