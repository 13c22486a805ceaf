"""CLIP's image tower as a backbone."""

from typing import Optional, Union

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from open_clip.model import VisionTransformer
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmscpnet.models.utils import (
    build_visual_tower,
    checkpoint_module,
    fit_position_embedding,
    load_tower,
    open_clip_config,
    take_tower_state_dict,
)
from mmscpnet.registry import MODELS

# A ModifiedResNet halves the image five times before its attention pooling.
RESNET_STRIDE = 32


@MODELS.register_module()
class OpenCLIPImageEncoder(BaseBackbone):
    """The image tower of any open_clip model: f of Eq. 7, before normalisation.

    Only the visual half of the model is built and kept.

    Args:
        model: Name of an open_clip model: ``'RN50'``, ``'RN101'``, ``'ViT-B-16'``, ...
        pretrained: A tag of open_clip (``'openai'``), a weight file, or None for
            random weights, which have to be asked for. Read in ``init_weights()``.
        img_size: Side, or (height, width), of the input in pixels. Other than the
            tower's own, the position embedding is resized (bicubic).
        frozen: Train nothing; the tower stays in evaluation mode.
        frozen_stages: Freeze the first stages, -1 for none. ResNets: 0 the stem, n
            also the first n (of 4) layers. ViTs: 0 patch, class and position
            embedding, n also the first n blocks.
        norm_eval: Batch norm stays in evaluation mode (its statistics do not move).
        with_cp: Gradient checkpointing: less memory, one more forward pass.
        out_type: ``'pooled'``: the projected feature ``(N, D)``, not normalised.
            ``'featmap'``: the map ``(N, C, H, W)`` before the pooling of a ResNet, or
            the patch tokens of a ViT after its final norm.
        quick_gelu: None follows model name and tag. For a file of weights that were
            trained with QuickGELU (OpenAI's were) say True, or use the name of the
            model that ends in ``-quickgelu``.
        model_kwargs: Overrides of open_clip's configuration of the model, e.g.
            ``dict(embed_dim=64, vision_cfg=dict(layers=2))``.
        init_cfg: mmengine's; comes after the weights of ``pretrained``.

    Attributes:
        embed_dims (int): Channels of the output: D or C.
        img_size (tuple[int, int]): Height and width of the input in pixels.
    """

    def __init__(
        self,
        model: str,
        *,
        pretrained: Optional[str],
        img_size: Union[int, tuple[int, int], None] = None,
        frozen: bool = False,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool = False,
        out_type: str = 'pooled',
        quick_gelu: Optional[bool] = None,
        model_kwargs: Optional[dict] = None,
        init_cfg: Union[dict, list[dict], None] = None,
    ) -> None:
        super().__init__(init_cfg)
        if out_type not in ('pooled', 'featmap'):
            raise ValueError(
                "OpenCLIPImageEncoder: out_type must be 'pooled' or 'featmap', found "
                f'{out_type!r}'
            )
        self.model_name = model
        self.pretrained = None if pretrained is None else str(pretrained)
        self.frozen = frozen
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.out_type = out_type
        config = open_clip_config(model, pretrained, quick_gelu, model_kwargs)
        size = (
            config['vision_cfg'].get('image_size', 224)
            if img_size is None
            else img_size
        )
        self.img_size = (size, size) if isinstance(size, int) else tuple(size)
        self._build(config, resize=img_size is not None)
        self.frozen_stages = self._check_stages(frozen_stages)
        self._freeze()
        self.train()

    def _build(self, config: dict, resize: bool) -> None:
        timm_tower = bool(config['vision_cfg'].get('timm_model_name'))
        resnet = isinstance(config['vision_cfg'].get('layers'), (list, tuple))
        stride = RESNET_STRIDE if resnet else config['vision_cfg'].get('patch_size', 16)
        if resize and not timm_tower and any(side % stride for side in self.img_size):
            raise ValueError(
                f'OpenCLIPImageEncoder: img_size={self.img_size} must be a multiple of '
                f'{stride} for {self.model_name!r}'
            )
        # A ResNet of open_clip is built for a square; _resize_attention_pool follows.
        size = max(self.img_size) if resnet else self.img_size
        self.visual = build_visual_tower(config, size)
        self.grid_size = getattr(self.visual, 'grid_size', None)
        if isinstance(self.visual, ModifiedResNet):
            self.grid_size = tuple(side // RESNET_STRIDE for side in self.img_size)
            self._resize_attention_pool()
        elif timm_tower and resize:
            self.visual.set_input_size(self.img_size)
        if self.with_cp and not isinstance(self.visual, ModifiedResNet):
            self.visual.set_grad_checkpointing(True)
        self.embed_dims = self._channels(config['embed_dim'])

    def _resize_attention_pool(self) -> None:
        rows = 1 + self.grid_size[0] * self.grid_size[1]
        pool = self.visual.attnpool
        if len(pool.positional_embedding) != rows:
            width = pool.positional_embedding.shape[1]
            pool.positional_embedding = nn.Parameter(
                torch.randn(rows, width) / width**0.5
            )

    def _channels(self, pooled: int) -> int:
        if self.out_type == 'pooled':
            return pooled
        if isinstance(self.visual, ModifiedResNet):
            return self.visual.attnpool.k_proj.in_features
        if isinstance(self.visual, VisionTransformer):
            return self.visual.class_embedding.shape[0]
        return self.visual.trunk.num_features

    def _stages(self) -> Optional[list[list[Union[nn.Module, nn.Parameter]]]]:
        """Stages from input to output; None for timm towers: they have none alike."""
        visual = self.visual
        if isinstance(visual, ModifiedResNet):
            stem = [
                getattr(visual, f'{kind}{i}')
                for i in (1, 2, 3)
                for kind in ('conv', 'bn')
            ]
            return [stem] + [[getattr(visual, f'layer{i}')] for i in (1, 2, 3, 4)]
        if isinstance(visual, VisionTransformer):
            embedding = [
                visual.conv1,
                visual.class_embedding,
                visual.positional_embedding,
                visual.ln_pre,
            ]
            return [embedding] + [[block] for block in visual.transformer.resblocks]
        return None

    def _check_stages(self, frozen_stages: int) -> int:
        stages = self._stages()
        if stages is None:
            if frozen_stages != -1:
                raise ValueError(
                    f'OpenCLIPImageEncoder: frozen_stages={frozen_stages}, but the '
                    f'tower of {self.model_name!r} is a timm model without known '
                    'stages. Use '
                    'frozen=True or frozen_stages=-1'
                )
        elif not -1 <= frozen_stages < len(stages):
            raise ValueError(
                f'OpenCLIPImageEncoder: frozen_stages must be in -1 ... '
                f'{len(stages) - 1} for {self.model_name!r}, found {frozen_stages}'
            )
        return frozen_stages

    def _frozen_parts(self) -> list[Union[nn.Module, nn.Parameter]]:
        if self.frozen:
            return [self.visual]
        stages = self._stages() or []
        return [part for stage in stages[: self.frozen_stages + 1] for part in stage]

    def _unused_parts(self) -> list:
        """What a feature map leaves out; with gradient it would stop DDP."""
        if self.out_type == 'pooled':
            return []
        names = ('attnpool', 'attn_pool', 'attn_pool_contrastive', 'proj', 'head')
        parts = [getattr(self.visual, name, None) for name in names]
        if getattr(self.visual, 'attn_pool', None) is not None:
            parts.append(self.visual.ln_post)
        return [part for part in parts if part is not None]

    def _freeze(self) -> None:
        for part in self._frozen_parts() + self._unused_parts():
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> 'OpenCLIPImageEncoder':
        """Set the mode; frozen parts (and batch norm, if asked for) stay in eval."""
        super().train(mode)
        if mode:
            for part in self._frozen_parts():
                if isinstance(part, nn.Module):
                    part.eval()
            if self.norm_eval:
                for module in self.modules():
                    if isinstance(module, _BatchNorm):
                        module.eval()
        return self

    def init_weights(self) -> None:
        """Load the weights that ``pretrained`` names, once.

        Raises:
            FileNotFoundError: The weights are not there and can not be downloaded.
            ValueError: They do not fit the model.
        """
        if not self.is_init and self.pretrained is not None:
            state = take_tower_state_dict(self.model_name, self.pretrained, 'visual')
            fit_position_embedding(state, '', self.visual, self.grid_size)
            load_tower(
                self.visual,
                state,
                f'OpenCLIPImageEncoder: the weights {self.pretrained!r} of '
                f'{self.model_name!r}',
            )
        super().init_weights()

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        # A checkpoint may have been trained at another image size.
        fit_position_embedding(
            state_dict, prefix + 'visual.', self.visual, self.grid_size
        )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Encode images.

        Args:
            x: ``(N, 3, H, W)``, normalised with CLIP's mean and standard deviation.

        Returns:
            One tensor: ``(N, D)``, or ``(N, C, h, w)`` with ``out_type='featmap'``.

        Raises:
            ValueError: H and W are not ``img_size``, where the tower needs that.
        """
        self._check_size(x)
        if isinstance(self.visual, ModifiedResNet):
            x = self._resnet_map(x)
            return (self.visual.attnpool(x) if self.out_type == 'pooled' else x,)
        if self.out_type == 'pooled':
            return (self.visual(x),)
        final_norm = getattr(self.visual, 'attn_pool', None) is None
        maps = self.visual.forward_intermediates(
            x,
            indices=1,
            normalize_intermediates=final_norm,
            intermediates_only=True,
            output_fmt='NCHW',
        )
        return (maps['image_intermediates'][-1],)

    def _resnet_map(self, x: Tensor) -> Tensor:
        visual = self.visual
        x = visual.stem(x)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            for block in layer:
                # open_clip has no checkpointing for its ResNets.
                recompute = self.with_cp and self.training and torch.is_grad_enabled()
                x = checkpoint_module(block, x) if recompute else block(x)
        return x

    def _check_size(self, x: Tensor) -> None:
        if self._any_size() or tuple(x.shape[-2:]) == self.img_size:
            return
        raise ValueError(
            f'OpenCLIPImageEncoder: the input is {x.shape[-2]}x{x.shape[-1]} (height x '
            f'width), but img_size={self.img_size}. Resize the images in the pipeline, '
            'or set img_size, which resizes the position embedding'
        )

    def _any_size(self) -> bool:
        if isinstance(self.visual, ModifiedResNet):
            return self.out_type == 'featmap'
        return hasattr(self.visual, 'trunk') and not hasattr(
            self.visual.trunk, 'set_input_size'
        )
