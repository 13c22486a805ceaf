"""What is exported: pixels to probabilities, with the label side folded to a matrix."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import MultiLabelClsHead
from torch import Tensor, nn

from mmscpnet.models.heads import SCPHead


class ExportedModel(nn.Module):
    """Image tower, one matrix product, sigmoid.

    Label features, SAM and scale of an :class:`SCPHead` are computed once, here:
    ``logits = normalize(f) @ W.T + b`` with ``W = scale * normalize(Z*)`` (Eq. 7).
    Other multi-label heads go along as they are.

    Args:
        model: a classifier of MMPretrain with a multi-label head, weights loaded.

    Raises:
        ValueError: the head is not multi-label, or pixels are normalised in a way
            that cannot be written down as one mean and deviation.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        head = getattr(model, 'head', None)
        if not isinstance(head, MultiLabelClsHead):
            raise ValueError(
                'only classifiers with a multi-label head can be exported, found the '
                f'head {type(head).__name__}'
            )
        mean, std, to_rgb = normalization(model.data_preprocessor)
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)
        # The exported model takes RGB; the backbone what it was trained with.
        self.flip = not to_rgb
        self.backbone = model.backbone
        self.neck = model.neck if model.with_neck else nn.Identity()
        self.head = FoldedHead(head) if isinstance(head, SCPHead) else head
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """RGB ``(N, 3, H, W)`` float32 from 0 to 255 -> probabilities ``(N, C)``."""
        if self.flip:
            images = images.flip(1)
        feats = self.neck(self.backbone((images - self.mean) / self.std))
        if not isinstance(feats, (tuple, list)):
            feats = (feats,)
        return self.head(tuple(feats)).sigmoid()


class FoldedHead(nn.Module):
    """The label side of an :class:`SCPHead` as one matrix.

    Args:
        head: in evaluation mode after this.
    """

    def __init__(self, head: SCPHead) -> None:
        super().__init__()
        head.eval()
        self.pre_logits = head.pre_logits
        self.projection = head.projection
        with torch.no_grad():
            refined = head.refined_label_features(head.label_features()).float()
            weight = head.log_scale.float().exp() * F.normalize(refined, dim=-1)
            bias = torch.zeros(len(weight), device=weight.device)
            if head.bias is not None:
                bias = bias + head.bias
        self.register_buffer('weight', weight.detach().clone())
        self.register_buffer('bias', bias.detach().clone())

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Last of ``feats`` ``(N, D)`` -> logits ``(N, C)``."""
        image = F.normalize(self.projection(self.pre_logits(feats)), dim=-1)
        return image @ self.weight.t() + self.bias


def normalization(preprocessor: nn.Module) -> tuple[Tensor, Tensor, bool]:
    """Mean and deviation ``(1, 3, 1, 1)`` and whether the backbone takes RGB.

    Args:
        preprocessor: :class:`MultiViewDataPreprocessor` or mmpretrain's
            ``ClsDataPreprocessor``.

    Raises:
        ValueError: a preprocessor of another kind.
    """
    if not hasattr(preprocessor, 'to_rgb'):
        raise ValueError(
            f'data_preprocessor: {type(preprocessor).__name__} has no to_rgb, mean and '
            'std, which the exported file has to contain'
        )
    mean = getattr(preprocessor, 'mean', None)
    std = getattr(preprocessor, 'std', None)
    if mean is None or std is None:
        mean, std = torch.zeros(3), torch.ones(3)
    shape = (1, 3, 1, 1)
    values = [value.detach().float().cpu().reshape(shape) for value in (mean, std)]
    return values[0], values[1], bool(preprocessor.to_rgb)
