"""Where in a photo a label is seen: class-activation maps by pytorch-grad-cam.

As MMPretrain's ``tools/visualization/vis_cam.py``, for several labels of a photo and
for the image towers of CLIP, too.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmengine.utils.dl_utils import is_norm
from open_clip.model import VisionTransformer
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn

# Name here -> class of pytorch_grad_cam. All of them tell labels apart, which EigenCAM
# does not, and need nothing but a layer, unlike AblationCAM on a ViT.
METHODS = {
    'GradCAM': 'GradCAM',
    'GradCAM++': 'GradCAMPlusPlus',
    'XGradCAM': 'XGradCAM',
    'HiResCAM': 'HiResCAM',
    'LayerCAM': 'LayerCAM',
    'GradCAMElementWise': 'GradCAMElementWise',
    'EigenGradCAM': 'EigenGradCAM',
    'ScoreCAM': 'ScoreCAM',
}


# Class, distillation and register tokens there may be.
MAX_EXTRA = 16


def load_method(name: str) -> type:
    """The class of a method.

    Raises:
        ValueError: there is no such method, or the package is not installed.
    """
    names = {key.lower(): value for key, value in METHODS.items()}
    if name.lower() not in names:
        raise ValueError(
            f'the method must be one of {", ".join(METHODS)}, found {name}'
        )
    try:
        import pytorch_grad_cam
    except ImportError as error:
        raise ValueError(
            'class-activation maps need the package grad-cam: pip install '
            f'"mmscpnet[cam]" ({error})'
        ) from error
    return getattr(pytorch_grad_cam, names[name.lower()])


def find_layers(model: nn.Module, names: Sequence[str] = ()) -> list[nn.Module]:
    """The layers whose activations are looked at.

    Args:
        model: a classifier with a ``backbone``.
        names: of modules; without any, the last one that still has places:

            - the last stage of a ResNet of CLIP, before its attention pooling;
            - the norm before the last attention of a ViT, as MMPretrain has it: after
              that attention only the class token counts;
            - else the last norm of the backbone.

    Raises:
        ValueError: there is no such module, or no norm.
    """
    if names:
        modules = dict(model.named_modules())
        missing = [name for name in names if name not in modules]
        if missing:
            known = [name for name in modules if name.startswith('backbone.')]
            raise ValueError(
                f'the model has no layer {missing[0]!r}. Layers near its end: '
                f'{", ".join(known[-12:])}'
            )
        return [modules[name] for name in names]
    visual = getattr(model.backbone, 'visual', None)
    if isinstance(visual, ModifiedResNet):
        # The stage itself is never called, only its blocks are.
        return [visual.layer4[-1]]
    if isinstance(visual, VisionTransformer):
        return [visual.transformer.resblocks[-1].ln_1]
    norms = [module for module in model.backbone.modules() if is_norm(module)]
    trunk = getattr(visual, 'trunk', None)
    tokens = getattr(model.backbone, 'num_extra_tokens', None) or getattr(
        trunk, 'num_prefix_tokens', 0
    )
    # At the end of a ViT: norm, attention, norm, feed-forward, norm.
    place = -3 if tokens else -1
    if len(norms) < -place:
        raise ValueError(
            f'{type(model.backbone).__name__} has no norm layers to look at: name a '
            'layer (--target-layers)'
        )
    return [norms[place]]


def spatial_map(model: nn.Module, size: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """A function that brings a layer's output to ``(N, C, h, w)``.

    Feature maps stay as they are. Of tokens ``(N, L, C)`` the first ones, which stand
    for no place, are left out, and the others laid out in the grid of the backbone.

    Args:
        model: the classifier.
        size: height and width of its input, for the shape of the grid where the
            backbone does not tell it.
    """
    backbone = model.backbone
    grid = getattr(backbone, 'grid_size', None)
    if grid is None:
        grid = getattr(backbone, 'patch_resolution', None)

    def transform(output: Tensor) -> Tensor:
        if output.dim() == 4:
            return output
        if output.dim() != 3:
            raise ValueError(
                f'a layer with an output of shape {tuple(output.shape)} has no places: '
                'name another by --target-layers'
            )
        count = output.size(1)
        grids = [_guess_grid(count, size)]
        if grid is not None:
            # A stage of a Swin has a half, a quarter or an eighth of its rows.
            grids = [(grid[0] >> halved, grid[1] >> halved) for halved in range(4)]
        height, width = next((g for g in grids if _fits(count, g)), (0, 0))
        if not height:
            raise ValueError(
                f'{count} tokens are no grid in the proportions of '
                f'{size[0]}x{size[1]}: name another layer by --target-layers'
            )
        extra = count - height * width
        places = output[:, extra:].reshape(len(output), height, width, -1)
        return places.permute(0, 3, 1, 2)

    return transform


def _fits(count: int, grid: tuple[int, int]) -> bool:
    """Whether tokens are those of a grid, and a few that stand for no place."""
    return 0 <= count - grid[0] * grid[1] <= MAX_EXTRA


def _guess_grid(count: int, size: tuple[int, int]) -> tuple[int, int]:
    """The largest grid of at most ``count`` places in the proportions of a photo."""
    height = max(1, math.isqrt(round(count * size[0] / size[1])))
    return height, max(1, height * size[1] // size[0])


def class_activation_maps(
    model: nn.Module,
    inputs: Tensor,
    labels: Sequence[int],
    method: str = 'GradCAM',
    layers: Sequence[str] = (),
    eigen_smooth: bool = False,
    aug_smooth: bool = False,
) -> np.ndarray:
    """Which parts of a photo raise the scores of labels.

    Args:
        model: a multi-label classifier of MMPretrain or this package. Its image tower
            may have been frozen in training, or replaced by a feature bank.
        inputs: the photo as the model takes it, ``(1, 3, H, W)``.
        labels: indices of n labels.
        method: one of ``METHODS``.
        layers: see :func:`find_layers`.
        eigen_smooth: take the first principal component, against noise.
        aug_smooth: average over six augmentations.

    Returns:
        ``(n, H, W)`` float32 in [0, 1], each scaled to its own maximum; all 0 if no
        part raises the label.

    Raises:
        ValueError: see the other functions here.
    """
    kind = load_method(method)
    targets = find_layers(model, layers)
    _prepare(model)
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = kind(
        model=model,
        target_layers=targets,
        reshape_transform=spatial_map(model, tuple(inputs.shape[-2:])),
    )
    # Its own ``with`` would swallow an IndexError.
    try:
        with torch.enable_grad():
            # In one batch, so that label features are computed once.
            return cam(
                inputs.repeat(len(labels), 1, 1, 1),
                [ClassifierOutputTarget(label) for label in labels],
                eigen_smooth=eigen_smooth,
                aug_smooth=aug_smooth,
            )
    finally:
        cam.activations_and_grads.release()


def _prepare(model: nn.Module) -> None:
    """Let gradient through the image tower, and only through it."""
    if getattr(model, 'frozen_backbone', False):
        model.frozen_backbone = False
    model.requires_grad_(False)
    model.backbone.requires_grad_(True)
    model.eval()


def overlay(photo: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lay a map over a photo.

    The photo is grey, so that colours are the map's alone: dark blue for 0 to yellow
    for 1, the colours of cividis, which the colour-blind see alike.

    Args:
        photo: ``(H, W, 3)`` RGB uint8.
        heat: ``(H, W)`` in [0, 1].

    Returns:
        ``(H, W, 3)`` RGB uint8.
    """
    from matplotlib import colormaps

    grey = photo.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = grey[..., None] / 255
    colour = colormaps['cividis'](heat)[..., :3]
    # Bright enough in dark photos to tell the colours.
    mixed = 0.4 * grey + 0.75 * colour * (0.6 + 0.4 * grey)
    return (255 * mixed.clip(0, 1)).round().astype(np.uint8)
