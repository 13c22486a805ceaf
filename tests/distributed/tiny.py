"""A tiny SCPNet with a config file, for runs in one and in several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from mmscpnet.utils.checkpoint import runner_globals
from tests.shared import ROOT

CLASSES = ('cat', 'dog', 'boat', 'tree', 'sea')
GLOO = 'env_cfg.dist_cfg.backend=gloo'


def write_config(folder: Path, num_photos: int, **changes) -> Path:
    """Photos, labels and a config without chance: each view is the whole photo."""
    rng = np.random.RandomState(0)
    lines = []
    for i in range(num_photos):
        photo = rng.randint(0, 255, (32, 32, 3), dtype=np.uint8)
        # of different brightness, for there to be something to learn
        photo //= 1 + i % 3
        Image.fromarray(photo).save(folder / f'{i}.png')
        lines.append(f'{i}.png,{i % 3} {(i + 1) % 5}\n')
    (folder / 'list.txt').write_text(''.join(lines))
    config = make_config(folder)
    config.merge_from_dict(changes)
    path = folder / 'tiny.py'
    config.dump(path)
    return path


def make_config(folder: Path) -> Config:
    dataset = dict(
        type='MultiLabelListDataset',
        data_root=str(folder),
        ann_file='list.txt',
        data_prefix='',
        classes=CLASSES,
        unlisted='unknown',
    )
    load = dict(type='LoadImageFromFile')
    weak = [dict(type='Resize', scale=(32, 32))]
    strong = [dict(type='Resize', scale=(24, 24)), dict(type='Resize', scale=(32, 32))]
    views = dict(type='MultiView', transforms=[weak, weak, strong], num_views=[1] * 3)
    pack = dict(type='PackInputs')
    loader = dict(num_workers=0, collate_fn=dict(type='default_collate'))
    full = dict(dataset, unlisted='negative', pipeline=[load, *weak, pack])
    val = dict(
        **loader,
        batch_size=3,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=full,
    )
    hooks = dict(
        checkpoint=dict(type='CheckpointHook', interval=2, max_keep_ckpts=9),
        logger=dict(type='LoggerHook', interval=1),
        label_check=dict(type='LabelCheckHook'),
        set_epoch=dict(type='SetEpochHook'),
        ema=dict(type='ModelEMAHook', decay=0.9),
    )
    return Config(
        dict(
            default_scope='mmscpnet',
            model=dict(
                type='SCPNet',
                data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
                backbone=dict(
                    type='ResNet',
                    depth=18,
                    stem_channels=8,
                    base_channels=8,
                    norm_eval=True,
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(
                    type='SCPHead',
                    classes=CLASSES,
                    in_channels=64,
                    prompter=dict(
                        type='FixedLabelFeatures',
                        features=np.random.RandomState(1).randn(5, 8).tolist(),
                    ),
                    association=dict(num_layers=2, hidden_dims=16),
                    label_graph=dict(type='StaticLabelGraph', source=None, topk=3),
                    loss=dict(type='SPLCLoss'),
                    pessl=dict(hard_k=2),
                ),
            ),
            train_dataloader=dict(
                **loader,
                batch_size=8,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(dataset, pipeline=[load, views, pack]),
            ),
            optim_wrapper=dict(
                constructor='SCPNetOptimWrapperConstructor',
                optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4),
                paramwise_cfg=dict(gcn_lr=5e-4),
            ),
            param_scheduler=dict(
                type='GroupOneCycleLR', total_epochs=4, convert_to_iter_based=True
            ),
            default_hooks=hooks,
            train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=2),
            val_cfg=dict(),
            val_dataloader=val,
            val_evaluator=dict(type='MultiLabelMAP'),
            test_cfg=dict(),
            test_dataloader=val,
            test_evaluator=[
                dict(type='MultiLabelMAP'),
                dict(type='SaveScores', out_file=str(folder / 'scores.npz')),
            ],
            auto_scale_lr=dict(base_batch_size=8),
            visualizer=dict(
                type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]
            ),
            log_processor=dict(window_size=1),
            sync_bn='torch',
            env_cfg=dict(dist_cfg=dict(backend='nccl')),
            randomness=dict(seed=0),
        )
    )


def run_tool(tool: str, processes: int, config: Path, *arguments) -> str:
    """``tools/train.py`` or ``test.py``; in several processes by the script."""
    if processes == 1:
        command = [sys.executable, ROOT / 'tools' / f'{tool}.py', config, *arguments]
    else:
        position = 1 if tool == 'test' else 0
        arguments = [*arguments[:position], processes, *arguments[position:]]
        command = ['bash', ROOT / 'tools' / f'dist_{tool}.sh', config, *arguments]
    folder = Path(sys.executable).parent
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env={
            **os.environ,
            'PATH': f'{folder}:{os.environ["PATH"]}',
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
        },
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-6000:]
    return output


def load(path: Path) -> dict:
    with torch.serialization.safe_globals(runner_globals()):
        return torch.load(path, weights_only=True)


def logged(work_dir: Path, key: str) -> list[float]:
    """Values of a scalar in the log of a run, in order."""
    lines = []
    for file in sorted(work_dir.glob('*/vis_data/scalars.json')):
        lines += [json.loads(line) for line in file.read_text().splitlines()]
    return [line[key] for line in lines if key in line]
