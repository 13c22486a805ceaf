"""Any config of this repository, made small: tiny towers, a few synthetic photos."""

import json
from pathlib import Path

import numpy as np
from mmengine.config import Config
from PIL import Image

from mmscpnet.datasets import load_class_names
from mmscpnet.datasets.class_names import KNOWN_SETS
from tests.models.utils import clip_models
from tests.shared import ROOT

CONFIGS = sorted(
    str(path.relative_to(ROOT / 'configs'))
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts
)
# How many labels a set has whose names are in a file of the user's.
FILE_CLASSES = {
    'cub_labels.txt': 312,
    'multilabel/classes.txt': 312,
    'vg200_labels.txt': 200,
    'classes_74.txt': 74,
    'classes.txt': 23,
}
NUM_PHOTOS = 10


def shrink(name: str, tmp_path: Path) -> Config:
    """Load a config of ``configs/`` and make it run on a CPU within seconds."""
    return shrink_config(Config.fromfile(ROOT / 'configs' / name), tmp_path)


def shrink_config(config: Config, tmp_path: Path) -> Config:
    """The same for a config that is loaded already; changes it."""
    names = _class_names(config, tmp_path)
    # CLIP's image tower takes one size only.
    of_clip = config.model.backbone.type == 'OpenCLIPImageEncoder'
    side = None if of_clip else 64
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config[key]
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
        _shrink_dataset(loader.dataset, names, tmp_path, key, side)
    _shrink_model(config.model, len(names))
    hooks = config.default_hooks
    if hooks.get('feature_bank'):
        hooks.feature_bank.update(
            root=str(tmp_path / 'banks'), num_draws=2, num_workers=0
        )
    config.train_cfg.max_epochs = 1
    # Sharded training needs several processes, see tests/distributed/test_fsdp.py.
    for key in ('runner_type', 'strategy'):
        config.pop(key, None)
    config.work_dir = str(tmp_path / 'work_dir')
    return config


def _class_names(config: Config, tmp_path: Path) -> list:
    classes = config.classes
    if classes in KNOWN_SETS:
        return load_class_names(classes)
    count = next(n for end, n in FILE_CLASSES.items() if classes.endswith(end))
    names = [f'label {i}' for i in range(count)]
    file = tmp_path / Path(classes).name
    file.write_text('\n'.join(names) + '\n')
    config.model.head.classes = str(file)
    return names


def _shrink_dataset(dataset, names: list, tmp_path: Path, key: str, side) -> None:
    if 'dataset' in dataset:
        dataset.num_splits = 3
        _shrink_dataset(dataset.dataset, names, tmp_path, key, side)
        return
    if dataset.type == 'DemoScenes':
        # Real scenes take a while; what the dataset adds has tests of its own.
        split = dataset.pop('split')
        dataset.update(
            type='IncompleteMultiLabelDataset', ann_file=f'{split}.json', classes=names
        )
    if side:
        _shrink_views(dataset.pipeline, side)
    dataset.data_root = str(tmp_path)
    dataset.classes = names
    rng = np.random.default_rng(0)
    prefix = dataset.get('data_prefix', '')
    folder = tmp_path / prefix
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for index in range(NUM_PHOTOS):
        photo = rng.integers(0, 256, (64, 96, 3), np.uint8)
        Image.fromarray(photo).save(folder / f'{index}.jpg')
        labels = sorted({int(i) for i in rng.integers(0, len(names), 3)})
        entries.append((f'{index}.jpg', labels))
    file = tmp_path / dataset.ann_file
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == '.json':
        data_list = [dict(img_path=name, gt_label=labels) for name, labels in entries]
        content = dict(metainfo=dict(classes=names), data_list=data_list)
        file.write_text(json.dumps(content))
    else:
        lines = [f'{name},{" ".join(map(str, labels))}' for name, labels in entries]
        file.write_text('\n'.join(lines) + '\n')


def _shrink_views(transforms: list, side: int) -> None:
    for transform in transforms:
        if isinstance(transform, list):
            _shrink_views(transform, side)
            continue
        _shrink_views(transform.get('transforms', []), side)
        if transform.type == 'Resize':
            transform.scale = (side, side)
        elif transform.type == 'CenterCrop':
            transform.crop_size = side
        elif transform.type == 'ResizeEdge' or 'RandomResizedCrop' in transform.type:
            transform.scale = side


def _shrink_model(model, num_classes: int) -> None:
    head = model.head
    if model.backbone.type == 'OpenCLIPImageEncoder':
        tiny = clip_models.kwargs(
            clip_models.RESNET
            if model.backbone.model.startswith('RN')
            else {**clip_models.VIT, 'image_size': 224, 'patch_size': 32}
        )
        if model.backbone.model.startswith('RN'):
            tiny['vision_cfg']['image_size'] = 224
        model.backbone.update(pretrained=None, model_kwargs=tiny)
        head.in_channels = tiny['embed_dim']
    elif model.backbone.type == 'ResNet':
        model.backbone.pop('init_cfg')
        model.backbone.update(depth=18, stem_channels=8, base_channels=8)
        head.in_channels = 64
    else:
        model.backbone.pretrained = None
    if head.type != 'SCPHead':
        return
    if head.association is not None:
        head.association.hidden_dims = 16
    prompter = head.prompter
    if prompter.type == 'FixedLabelFeatures':
        prompter.pop('text_encoder')
        prompter.features = np.random.default_rng(0).random((num_classes, 8)).tolist()
    else:
        _tiny_clip(prompter.text_encoder)
    for graph in (head.label_graph, head.get('pessl_label_graph')):
        source = graph and graph.get('source')
        if not source:
            continue
        if source.get('text_encoder', source).type == 'CLIPTextEncoder':
            _tiny_clip(source.text_encoder)
        else:
            graph.source = None


def _tiny_clip(encoder) -> None:
    encoder.update(pretrained=None, model_kwargs=clip_models.RESNET_KWARGS)
