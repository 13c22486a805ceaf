"""A tiny classifier on random pictures, for the tests of the command line."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

TOOLS = Path(__file__).resolve().parents[2] / 'tools'

CONFIG = """
default_scope = 'mmscpnet'
dataset = dict(
    type='CustomDataset',
    data_prefix={images!r},
    pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(32, 32)),
        dict(type='PackInputs'),
    ],
)
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=2,
        in_channels=64,
        topk=(1,),
        loss=dict(type='CrossEntropyLoss'),
    ),
)
data_preprocessor = dict(num_classes=2, mean=[127.5] * 3, std=[127.5] * 3)
# No collate_fn, no pin_memory, no persistent_workers: the tools fill them in.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dataset,
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dataset,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[2], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='EMAHook', momentum=0.1)]
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=1, save_best='auto'),
    visualization=dict(type='VisualizationHook', enable=False),
)
visualizer = dict(
    type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]
)
randomness = dict(seed=3)
"""


@pytest.fixture(scope='session')
def config(tmp_path_factory):
    """Path of the config; its pictures lie beside it."""
    folder = tmp_path_factory.mktemp('tiny')
    rng = np.random.RandomState(0)
    for name in ('dark', 'light'):
        (folder / 'images' / name).mkdir(parents=True)
        for i in range(4):
            picture = rng.randint(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folder / 'images' / name / f'{name}{i}.png')
    path = folder / 'tiny.py'
    path.write_text(CONFIG.format(images=str(folder / 'images')))
    return path


@pytest.fixture(scope='session')
def tool():
    """Load a program of ``tools/`` as a module."""

    def load(name):
        path = TOOLS / name
        spec = importlib.util.spec_from_file_location(f'tools_{path.stem}', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(autouse=True)
def process_state(monkeypatch):
    """Undo what the programs change in their process."""
    for name in ('TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '0')
    before = torch.serialization.get_safe_globals()
    threads = (
        torch.get_num_threads(),
        {name: os.environ.get(name) for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')},
    )
    torch.set_num_threads(1)
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)
    torch.set_num_threads(threads[0])
    for name, value in threads[1].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
