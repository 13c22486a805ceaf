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

    The last three options are for speed; without them the recipe is the published one.

    Args:
        frozen_backbone: backbone and neck are not trained and stay in evaluation
            mode (the paper's SCPNet*).
        teacher_grad: whether the weak view, which only teaches, goes through the
            backbone with gradient, as published. Its gradient is zero, so False saves
            a third of the backward pass and of the activations; but batch norm that
            is trained then takes its statistics from (labelled, strong) and from
            (weak) apart. Needs three views.
        channels_last: whether backbone, neck and images are laid out channels last.
        compile_backbone: whether ``torch.compile`` compiles the backbone; a dict holds
            its options. (mmengine's ``compile`` takes the optimiser in and fails.)
        **kwargs: see mmpretrain's ``ImageClassifier``.

    Raises:
        ValueError: options that exclude each other.
    """

    def __init__(
        self,
        *args,
        frozen_backbone: bool = False,
        teacher_grad: bool = True,
        channels_last: bool = False,
        compile_backbone: Union[bool, dict] = False,
        **kwargs,
    ) -> None:
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
        if frozen_backbone and not teacher_grad:
            raise ValueError(
                'SCPNet: teacher_grad=False is for a backbone that is trained; with '
                'frozen_backbone=True no view has a gradient. Leave it out'
            )
        super().__init__(*args, **kwargs)
        self.frozen_backbone = frozen_backbone
        self.teacher_grad = teacher_grad
        self.channels_last = channels_last
        if channels_last:
            for module in self._image_encoder():
                module.to(memory_format=torch.channels_last)
        if compile_backbone is not False:
            # In place: names of weights stay, and a copy for averaging is not compiled.
            options = {} if compile_backbone is True else compile_backbone
            self.backbone.compile(**options)
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
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
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

        Raises:
            ValueError: not three views, with ``teacher_grad=False``.
        """
        views = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if self.teacher_grad:
            feats = self.extract_feat(torch.cat(views))
        else:
            feats = self._extract_without_teacher_grad(views)
        return self.head.loss(feats, data_samples, num_views=len(views))

    def _extract_without_teacher_grad(self, views: list[Tensor]) -> tuple[Tensor]:
        if len(views) != 3:
            raise ValueError(
                'SCPNet: teacher_grad=False needs the views (labelled, weak, strong), '
                f'found {len(views)}. With two the weak view is the labelled, whose '
                'gradient is needed'
            )
        labelled, weak, strong = views
        with torch.no_grad():
            taught_by = self.extract_feat(weak)
        feats = []
        for own, teacher in zip(
            self.extract_feat(torch.cat([labelled, strong])), taught_by
        ):
            first, last = own.chunk(2)
            feats.append(torch.cat([first, teacher, last]))
        return tuple(feats)
