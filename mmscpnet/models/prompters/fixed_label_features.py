"""Label features without prompts to learn."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.registry import MODELS

from .label_texts import check_templates, encode_labels


@MODELS.register_module()
class FixedLabelFeatures(BaseModule):
    """Label features of a text encoder or a file, computed once.

    The text encoder is built, asked and dropped in ``init_weights()``. A checkpoint
    holds the features, so neither encoder nor file is needed after loading one.

    Args:
        classes: C label names, or a file with one name a line.
        text_encoder: Config of any text encoder.
        features: In place of it: ``(C, D)`` features as a tensor or array, or a
            ``.npy`` or ``.pt`` file of them, rows in the order of the classes.
        templates: Sentences with ``{}`` for the name; the normalised features of
            several are averaged. Word vectors want ``'{}'``.
        learnable: Train the features from there on.
        normalize: Bring the features to length 1.
        embed_dims: D. None: that of encoder or file, which then have to be there when
            the model is built, also to run a checkpoint.
        init_cfg: mmengine's.

    Attributes:
        features (Tensor): ``(C, D)``, buffer or parameter.
    """

    def __init__(
        self,
        classes: Union[str, Sequence[str]],
        text_encoder: Optional[dict] = None,
        features: Any = None,
        templates: Union[str, Sequence[str]] = ('a photo of a {}.',),
        learnable: bool = False,
        normalize: bool = True,
        embed_dims: Optional[int] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if (text_encoder is None) == (features is None):
            raise ValueError(
                'FixedLabelFeatures: give text_encoder (a config) or features (a file '
                'or a tensor), one of the two'
            )
        self.classes = load_class_names(classes, 'FixedLabelFeatures: classes')
        self.num_classes = len(self.classes)
        self.templates = check_templates(templates)
        self.normalize = normalize
        self.encoder_cfg = text_encoder
        self._source = features
        self.embed_dims = self._find_dims() if embed_dims is None else embed_dims
        # Set once features have come from encoder, file or checkpoint.
        self._filled = False
        empty = torch.zeros(self.num_classes, self.embed_dims)
        if learnable:
            self.features = nn.Parameter(empty)
        else:
            self.register_buffer('features', empty)

    def _find_dims(self) -> int:
        if self.encoder_cfg is None:
            return read_features(self._source, self.num_classes).shape[1]
        # Without memory for its weights: only the widths are asked for.
        with torch.device('meta'):
            return MODELS.build(self.encoder_cfg).embed_dims

    def init_weights(self) -> None:
        """Compute the features, once.

        Raises:
            FileNotFoundError: The file is missing, or the encoder's weights are.
            ValueError: The features are not ``(C, embed_dims)``.
        """
        if self.is_init:
            return
        super().init_weights()
        if self.encoder_cfg is None:
            features = read_features(self._source, self.num_classes)
            if self.normalize:
                features = F.normalize(features, dim=-1)
        else:
            features = self._encode(self.classes)
        if features.shape[1] != self.embed_dims:
            raise ValueError(
                f'FixedLabelFeatures: embed_dims is {self.embed_dims}, but the '
                f'features have {features.shape[1]}'
            )
        with torch.no_grad():
            self.features.copy_(features)
        self._filled = True

    def set_classes(self, classes: Union[str, Sequence[str]]) -> None:
        """Take other labels; nothing changes if that fails.

        Features that are there already are kept, the text encoder is asked for those
        of new labels only.

        Raises:
            FileNotFoundError: The weights of the text encoder are missing.
            ValueError: A label is new, and its features were read from a file or
                trained; or the text encoder does not know it.
        """
        names = load_class_names(classes, 'FixedLabelFeatures: classes')
        rows = {name: self.features[i] for i, name in enumerate(self.classes)}
        new = [name for name in names if name not in rows]
        if new:
            rows.update(zip(new, self._features_of(new)))
        features = torch.stack([rows[name] for name in names]).detach()
        if isinstance(self.features, nn.Parameter):
            self.features = nn.Parameter(features)
        else:
            self.features = features
        self.classes, self.num_classes = names, len(names)

    def _features_of(self, names: list[str]) -> Tensor:
        if self.encoder_cfg is None or isinstance(self.features, nn.Parameter):
            reason = (
                'they are read from `features`'
                if self.encoder_cfg is None
                else 'they were trained (learnable=True)'
            )
            raise ValueError(
                f'FixedLabelFeatures has no features of the labels {names[:12]}'
                f'{" and others" if len(names) > 12 else ""}: {reason}. Only a model '
                'with a text_encoder and learnable=False can take labels that it was '
                'not trained for'
            )
        return self._encode(names).to(self.features)

    def _encode(self, names: Sequence[str]) -> Tensor:
        encoder = MODELS.build(self.encoder_cfg)
        encoder.init_weights()
        features = encode_labels(encoder, names, self.templates)
        return F.normalize(features, dim=-1) if self.normalize else features

    def forward(self) -> Tensor:
        """Label features ``(C, D)``."""
        if not self._filled:
            print_log(
                'FixedLabelFeatures: the features are still zero: call init_weights() '
                'or load a checkpoint',
                logger='current',
                level=logging.WARNING,
            )
            self._filled = True  # say it once
        return self.features

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        if prefix + 'features' in state_dict:
            # What has been loaded must not be computed anew.
            self._filled = self.is_init = True


def read_features(source: Any, rows: int) -> Tensor:
    """Features as float32, from an array or a file.

    Args:
        source: A tensor or array, or the path of a ``.npy`` or ``.pt`` file.
        rows: C.

    Returns:
        ``(C, D)``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another ending, another shape, or values that are not finite.
    """
    where = 'features'
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        where = f'features: {path}'
        if not path.is_file():
            raise FileNotFoundError(f'FixedLabelFeatures: there is no file {path}')
        if path.suffix == '.npy':
            source = np.load(path, allow_pickle=False)
        elif path.suffix in ('.pt', '.pth'):
            source = torch.load(path, map_location='cpu', weights_only=True)
        else:
            raise ValueError(
                f'FixedLabelFeatures: {where} should be a .npy or .pt file'
            )
    try:
        features = torch.as_tensor(source).detach().float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f'FixedLabelFeatures: {where} should hold a (C, D) array, found '
            f'{type(source).__name__}'
        ) from error
    if features.dim() != 2 or len(features) != rows:
        raise ValueError(
            f'FixedLabelFeatures: {where} should be ({rows}, D), as there are {rows} '
            f'classes; found {tuple(features.shape)}'
        )
    if not torch.isfinite(features).all():
        row = int((~torch.isfinite(features)).any(dim=1).nonzero()[0])
        raise ValueError(f'FixedLabelFeatures: {where} has NaN or inf in row {row}')
    return features
