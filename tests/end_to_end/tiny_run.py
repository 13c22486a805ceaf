"""A run of SCPNet that takes seconds, with every kind of randomness and of state."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from mmscpnet.utils.checkpoint import read_checkpoint
from tests.shared import ROOT

NUM_PHOTOS = 14
CLASSES = ['cat', 'dog', 'sea', 'sky']
CONFIG = """
_base_ = [
    '{root}/configs/_base_/default_runtime.py',
    '{root}/configs/_base_/schedules/scpnet.py',
]
crop = [
    dict(type='AntialiasedRandomResizedCrop', scale=32),
    dict(type='RandomFlip', prob=0.5),
]
strong = [
    dict(type='FixMatchRandAugment'),
    *crop,
    dict(type='ColorJitter', brightness=0.3, contrast=0.3, hue=0.1),
    dict(type='RelativeCutout'),
]
dataset = dict(
    type='MultiLabelListDataset',
    data_root='{folder}',
    ann_file='list.txt',
    data_prefix='photos',
    classes={classes},
)
train_dataloader = dict(
    batch_size=4,
    num_workers={workers},
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='SinglePositiveLabel'),
            dict(type='MultiView', transforms=[crop, strong], num_views=[2, 1]),
            dict(type='PackInputs'),
        ],
        **dataset,
    ),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(32, 32)),
            dict(type='PackInputs'),
        ],
        **dataset,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='MultiLabelMAP', per_class_table=False)
test_evaluator = val_evaluator
model = dict(
    type='SCPNet',
    frozen_backbone={bank},
    backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='SCPHead',
        classes={classes},
        in_channels=64,
        dropout=0.5,
        prompter=dict(type='FixedLabelFeatures', features={features}),
        association=dict(type='SemanticAssociation', hidden_dims=8),
        label_graph=dict(type='StaticLabelGraph', source=None, topk=2),
        loss=dict(type='SPLCLoss'),
        pessl=dict(p_cutoff=0.5),
    ),
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.01), paramwise_cfg=dict(gcn_lr=0.02), accumulative_counts=1
)
param_scheduler = dict(total_epochs=4)
train_cfg = dict(max_epochs=3)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1, max_keep_ckpts=100))
work_dir = '{folder}/work'
"""
BANK = """
default_hooks['feature_bank'] = dict(
    type='FeatureBankHook', root='{folder}/banks', num_draws=4, num_workers=0
)
"""


def write_tiny_run(
    folder: Path, workers: int = 0, bank: bool = False, classes=CLASSES
) -> Path:
    """Write photos, labels and a config of 3 epochs with 4 iterations each.

    Args:
        folder: where to.
        workers: of the training dataloader.
        bank: whether the backbone is frozen and its features come from a bank.
        classes: names of the labels, at least three.

    Returns:
        The config file.
    """
    (folder / 'photos').mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for i in range(NUM_PHOTOS):
        photo = rng.integers(0, 256, (40, 48, 3), np.uint8)
        Image.fromarray(photo).save(folder / 'photos' / f'{i}.png')
        lines.append(f'{i}.png,{" ".join(map(str, sorted({i % len(classes), i % 3})))}')
    (folder / 'list.txt').write_text('\n'.join(lines) + '\n')
    text = CONFIG + (BANK if bank else '')
    path = folder / 'tiny.py'
    path.write_text(
        text.format(
            root=ROOT,
            folder=folder,
            classes=classes,
            features=np.eye(len(classes), 8).tolist(),
            workers=workers,
            bank=bank,
        )
    )
    return path


def load_tiny_run(path: Path, work_dir: Path, **options) -> Config:
    """Read the config again, for another run of the same process."""
    config = Config.fromfile(path)
    config.work_dir, config.launcher = str(work_dir), 'none'
    config.merge_from_dict(options)
    return config


def assert_same_end(first: Path, second: Path) -> None:
    """Two checkpoints agree to the bit in all that training goes on from."""
    a, b = (read_checkpoint(str(path)) for path in (first, second))
    assert a.keys() == b.keys()
    for part in a.keys() - {'meta', 'message_hub'}:
        assert_same(a[part], b[part], part)
    for key in ('epoch', 'iter', 'seed', 'labels', 'dataset_meta', 'state_dict_model'):
        assert a['meta'].get(key) == b['meta'].get(key), key
    logs = [checkpoint['message_hub']['log_scalars'] for checkpoint in (a, b)]
    for key in logs[0].keys() | logs[1].keys():
        if not key.endswith('time'):
            assert_same(logs[0][key].data[0], logs[1][key].data[0], key)
    infos = [checkpoint['message_hub']['runtime_info'] for checkpoint in (a, b)]
    for key in infos[0].keys() | infos[1].keys():
        values = [info[key] for info in infos]
        if key in ('best_ckpt', 'last_ckpt'):
            values = [Path(value).name for value in values]
        # The version names the commit that is checked out, which may change meanwhile.
        if key not in ('eta', 'cfg', 'experiment_name', 'mmengine_version'):
            assert_same(*values, key)


def assert_same(a, b, where) -> None:
    """Equal, down to the last bit of the last tensor in nested containers."""
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, pair in enumerate(zip(a, b)):
            assert_same(*pair, f'{where}[{i}]')
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a, b), where
    elif isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b, err_msg=where)
    else:
        assert a == b, (where, a, b)
