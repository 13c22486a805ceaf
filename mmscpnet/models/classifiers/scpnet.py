"""The classifier: several views of an image through one backbone and one head."""

from collections.abc import Sequence
from typing import Union

import torch
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmscpnet.registry import MODELS


@MODELS.register_module()
class SCPNet(ImageClassifier):
    """SCPNet, or any backbone with a head that trains on incomplete labels.

    Ding et al., "Exploring Structured Semantic Prior for Multi Label Recognition with
    Incomplete Labels", CVPR 2023. In training the views of all images go through the
    backbone as one batch.

    Inputs of two dimensions ``(N, D)`` are taken for features that this very backbone
    and neck have computed before (see ``FeatureBankHook``) and go to the head at once.

    Args:
        frozen_backbone: backbone and neck are not trained and stay in evaluation
            mode (the paper's SCPNet*).
        **kwargs: see mmpretrain's ``ImageClassifier``.
    """

    def __init__(self, *args, frozen_backbone: bool = False, **kwargs) -> None:
        preprocessor = kwargs.get('data_preprocessor') or {}
        if isinstance(preprocessor, dict):
            preprocessor = MODELS.build(
                {'type': 'MultiViewDataPreprocessor', **preprocessor}
            )
        kwargs['data_preprocessor'] = preprocessor
        if kwargs.get('train_cfg'):
            raise ValueError(
                'SCPNet: train_cfg (mixup, cutmix) would blend the labels of images, '
                'of which unknown labels have none to blend. Remove it'
            )
        super().__init__(*args, **kwargs)
        self.frozen_backbone = frozen_backbone
        if frozen_backbone:
            for module in self._image_encoder():
                module.requires_grad_(False)

    def _image_encoder(self) -> list[torch.nn.Module]:
        return [self.backbone, self.neck] if self.with_neck else [self.backbone]

    def train(self, mode: bool = True) -> 'SCPNet':
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen_backbone:
            for module in self._image_encoder():
                # Not .eval(): mmpretrain's backbones override train().
                module.train(False)
        return self

    def extract_feat(self, inputs: Tensor, stage: str = 'neck'):
        """As mmpretrain's; features ``(N, D)`` pass through backbone and neck."""
        if inputs.dim() == 2:
            feats = (inputs,)
            return self.head.pre_logits(feats) if stage == 'pre_logits' else feats
        with torch.set_grad_enabled(
            torch.is_grad_enabled() and not self.frozen_backbone
        ):
            return super().extract_feat(inputs, stage)

    def loss(
        self, inputs: Union[Tensor, Sequence[Tensor]], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            inputs: V views of N images, each ``(N, 3, H, W)`` or ``(N, D)``, or one
                such tensor.
            data_samples: N samples with labels.
        """
        views = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        feats = self.extract_feat(torch.cat(views))
        return self.head.loss(feats, data_samples, num_views=len(views))
