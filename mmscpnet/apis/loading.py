"""A model and its test pipeline from a config and a checkpoint."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional, Union

import torch
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.logging import MMLogger
from mmpretrain.models.heads import ClsHead, MultiLabelClsHead
from torch import nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.datasets.transforms import LabelMasking
from mmscpnet.engine.hooks.label_set import check_labels, find_head, stored_labels
from mmscpnet.registry import DATASETS, MODELS, TRANSFORMS
from mmscpnet.utils.cfg_options import merge_options
from mmscpnet.utils.checkpoint import (
    check_file,
    check_whole,
    explain_refused_checkpoint,
    read_checkpoint,
    runner_globals,
)

# What only training needs, some of it as large as the training set.
TRAINING_STATE = ('head.pessl', 'head.loss_module.')
_SHOWN = 10


def find_config(
    model: Union[str, Path, dict], options: Optional[dict] = None
) -> tuple[Config, Optional[str]]:
    """A config, and the weights that MMPretrain knows for it.

    Args:
        model: a config, its path, or the name of a model of MMPretrain's zoo.
        options: what is changed in it, as by ``--cfg-options``.

    Raises:
        FileNotFoundError: there is no such file, nor a model of that name.
        ValueError: it is something else, or has no model.
    """
    weights = None
    if isinstance(model, (str, Path)):
        model = str(model)
        if not model.endswith(('.py', '.json', '.yaml', '.yml')):
            from mmpretrain.apis import ModelHub

            try:
                entry = ModelHub.get(model)
            except ValueError:
                check_file(model, 'The config file, or model of MMPretrain,')
                raise
            model, weights = entry.config, entry.weights
        if isinstance(model, str):
            check_file(model, 'The config file')
            model = Config.fromfile(model)
    if not isinstance(model, dict) and not isinstance(model, Config):
        raise ValueError(
            'model is a config, the path of one, or a name of MMPretrain, found '
            f'{type(model).__name__}'
        )
    cfg = model if isinstance(model, Config) else Config(dict(model))
    merge_options(cfg, options)
    if not cfg.get('model'):
        raise ValueError('the config has no model')
    return cfg, weights


def read_weights(weights: str) -> dict:
    """Read a checkpoint as data only, from a path or an address.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or holds more than data.
    """
    weights = str(weights)
    with explain_refused_checkpoint():
        if '://' not in weights:
            path = os.path.expanduser(weights)
            check_whole(path, 'The checkpoint')
            return read_checkpoint(path)
        with torch.serialization.safe_globals(runner_globals()):
            options = dict(map_location='cpu', weights_only=True)
            if weights.startswith(('http://', 'https://')):
                return torch.hub.load_state_dict_from_url(weights, **options)
            return torch.load(io.BytesIO(fileio.get(weights)), **options)


def build_model(cfg: Config, checkpoint: Optional[dict]) -> nn.Module:
    """Build a multi-label model for inference.

    Args:
        cfg: the config.
        checkpoint: what :func:`read_weights` gave; None for a model as its config
            starts it (CLIP's weights without training: zero-shot).

    Raises:
        ValueError: the model gives each photo one label only, or the weights are of
            another model or of other labels.
    """
    settings = ConfigDict(cfg.model)
    # As mmengine's Runner does.
    if settings.get('data_preprocessor') is None and cfg.get('data_preprocessor'):
        settings = ConfigDict(settings, data_preprocessor=cfg.data_preprocessor)
    with _quiet():
        model = MODELS.build(settings)
    head = getattr(model, 'head', None)
    if isinstance(head, ClsHead) and not isinstance(head, MultiLabelClsHead):
        raise ValueError(
            f'{type(head).__name__} gives each photo one label. For it take '
            "MMPretrain's ImageClassificationInferencer"
        )
    if checkpoint is None:
        with _quiet():
            model.init_weights()
    else:
        own_head = find_head(model)
        if own_head is not None:
            check_labels(own_head, checkpoint)
            own_head.pessl = own_head.pessl_label_graph = None
        _load(model, checkpoint.get('state_dict', checkpoint))
    # Not chained: train() of MMPretrain's backbones returns nothing.
    model.eval()
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings only: mmengine would print a paragraph on each parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _load(model: nn.Module, state: dict) -> None:
    state = {
        key.removeprefix('module.'): value
        for key, value in state.items()
        if not key.removeprefix('module.').startswith(TRAINING_STATE)
    }
    try:
        result = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ValueError(f'the weights do not fit the config: {error}') from error
    missing = [
        key
        for key in result.missing_keys
        # Absent from weights of old versions, and not used in evaluation.
        if not key.startswith(TRAINING_STATE) and not key.endswith('batches_tracked')
    ]
    parts = [
        f'{text} {", ".join(keys[:_SHOWN])}'
        + (f' and {len(keys) - _SHOWN} more' if len(keys) > _SHOWN else '')
        for text, keys in (
            ('the checkpoint lacks', missing),
            ('the model has no', result.unexpected_keys),
        )
        if keys
    ]
    if parts:
        raise ValueError('the weights do not fit the config: ' + '; '.join(parts))


def _innermost(cfg: Config, dataloader: str, key: str) -> Optional[dict]:
    """Config of the first dataset within wrappers that has a key; None without."""
    dataset = (cfg.get(dataloader) or {}).get('dataset')
    while dataset and key not in dataset:
        dataset = dataset.get('dataset') or (dataset.get('datasets') or [None])[0]
    return dataset or None


def find_test_dataset(cfg: Config) -> dict:
    """Config of the innermost test dataset, or else validation dataset.

    Raises:
        ValueError: there is none with a pipeline.
    """
    for name in ('test_dataloader', 'val_dataloader'):
        dataset = _innermost(cfg, name, 'pipeline')
        if dataset:
            return dataset
    raise ValueError(
        'the config has neither test_dataloader nor val_dataloader with a pipeline, so '
        'it does not say how photos are prepared'
    )


def dataset_photo_folders(cfg: Config) -> list[str]:
    """Folders of the photos of the config's sets, that for training first."""
    folders = []
    for name in ('train_dataloader', 'test_dataloader', 'val_dataloader'):
        dataset = _innermost(cfg, name, 'data_prefix')
        if not dataset:
            continue
        prefix = dataset['data_prefix']
        if isinstance(prefix, dict):
            prefix = prefix.get('img_path', '')
        folders.append(os.path.join(dataset.get('data_root') or '', prefix))
    return list(dict.fromkeys(folders))


def build_pipeline(cfg: Config) -> tuple[LoadImageFromFile, Compose]:
    """The test pipeline: the transform that reads, and the others.

    Raises:
        ValueError: nothing in it reads photos.
    """
    transforms = [TRANSFORMS.build(step) for step in find_test_dataset(cfg)['pipeline']]
    for position, transform in enumerate(transforms):
        if isinstance(transform, LoadImageFromFile):
            rest = transforms[position + 1 :]
            # There are no labels to mask.
            kept = [step for step in rest if not isinstance(step, LabelMasking)]
            return transform, Compose(kept)
    raise ValueError(
        'the test pipeline has no LoadImageFromFile, so it takes no photos; found '
        f'{[type(step).__name__ for step in transforms]}'
    )


def find_classes(
    cfg: Config, model: nn.Module, checkpoint: Optional[dict]
) -> Optional[list[str]]:
    """Label names, of the head, the checkpoint, or the test dataset; or None."""
    head = find_head(model)
    if head is not None:
        return list(head.classes)
    stored = stored_labels(checkpoint or {})
    if stored is not None:
        return list(stored['classes'])
    try:
        dataset = find_test_dataset(cfg)
    except ValueError:
        return None
    names = dataset.get('classes') or (dataset.get('metainfo') or {}).get('classes')
    if names is None:
        kind = DATASETS.get(dataset['type'])
        names = (getattr(kind, 'METAINFO', None) or {}).get('classes')
    return None if names is None else load_class_names(names, 'dataset.classes')
