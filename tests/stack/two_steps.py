"""Build a tiny SCPNet from a config and train it for two steps.

Run by ``openmmlab_originals.sh`` in an environment with another build of the stack,
without pytest; ``test_two_steps.py`` runs it in the current one.
"""

import json
import math
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmscpnet.utils import forbid_pickled_code, register_all_modules

CLASSES = ('cat', 'dog', 'boat', 'tree')
VIEW = [
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomResizedCrop', scale=32, backend='pillow'),
]
STRONG = [dict(type='FixMatchRandAugment', num_policies=3), *VIEW]


def write_data(folder: Path) -> None:
    """Eight random pictures, word vectors and a list of positives."""
    rng = np.random.RandomState(0)
    lines = []
    for i in range(8):
        picture = Image.fromarray(rng.randint(0, 255, (40, 40, 3), dtype=np.uint8))
        picture.save(folder / f'{i}.png')
        lines.append(f'{i}.png,{i % 4} {(i + 1) % 4}\n')
    (folder / 'list.txt').write_text(''.join(lines))
    (folder / 'classes.txt').write_text('\n'.join(CLASSES))
    vectors = (
        f'{name} ' + ' '.join(f'{x:.4f}' for x in rng.rand(12)) for name in CLASSES
    )
    (folder / 'vectors.txt').write_text('\n'.join(vectors))


def make_config(folder: Path) -> Config:
    """The parts of the Corel5k-74 configuration, tiny."""
    encoder = dict(type='WordVectors', file=str(folder / 'vectors.txt'))
    dataset = dict(
        type='MultiLabelListDataset',
        data_root=str(folder),
        ann_file='list.txt',
        data_prefix='',
        classes=str(folder / 'classes.txt'),
    )
    load = dict(type='LoadImageFromFile')
    train_pipeline = [
        load,
        dict(type='SinglePositiveLabel', seed=0),
        dict(type='MultiView', transforms=[VIEW, VIEW, STRONG], num_views=[1, 1, 1]),
        dict(type='PackInputs'),
    ]
    test_pipeline = [load, dict(type='Resize', scale=(32, 32)), dict(type='PackInputs')]
    loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='default_collate'))
    train = dict(
        **loader,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(**dataset, pipeline=train_pipeline),
    )
    val = dict(
        **loader,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(**dataset, pipeline=test_pipeline),
    )
    head = dict(
        type='SCPHead',
        classes=CLASSES,
        in_channels=64,
        learn_scale=True,
        prompter=dict(
            type='FixedLabelFeatures',
            text_encoder=encoder,
            templates=['{}'],
        ),
        association=dict(num_layers=2, hidden_dims=16),
        label_graph=dict(
            type='StaticLabelGraph',
            source=dict(type='TextSource', text_encoder=encoder, templates='{}'),
            topk=2,
            neighbor_weight=0.2,
            temperature=0.2,
        ),
        loss=dict(type='SPLCLoss'),
        pessl=dict(hard_k=1, loss_weight_cst=0.5, loss_weight_dstl=0.5),
    )
    return Config(
        dict(
            default_scope='mmscpnet',
            work_dir=str(folder / 'work'),
            model=dict(
                type='SCPNet',
                data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
                backbone=dict(
                    type='ResNet', depth=18, stem_channels=8, base_channels=8
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=head,
            ),
            train_dataloader=train,
            val_dataloader=val,
            optim_wrapper=dict(
                constructor='SCPNetOptimWrapperConstructor',
                optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4),
            ),
            param_scheduler=dict(
                type='GroupOneCycleLR', total_epochs=1, convert_to_iter_based=True
            ),
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', interval=1),
                logger=dict(type='LoggerHook', interval=1),
                label_check=dict(type='LabelCheckHook'),
                set_epoch=dict(type='SetEpochHook'),
                ema=dict(type='ModelEMAHook', decay=0.5),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=1, val_interval=1),
            val_cfg=dict(),
            val_evaluator=dict(type='MultiLabelMAP'),
            visualizer=dict(
                type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]
            ),
            randomness=dict(seed=0),
        )
    )


def main() -> None:
    torch.set_num_threads(1)
    import mmscpnet

    index = files(mmscpnet) / '.mim' / 'model-index.yml'
    print('mmscpnet from', Path(mmscpnet.__file__).parent, '.mim:', index.is_file())
    register_all_modules()
    forbid_pickled_code()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder)
        runner = Runner.from_cfg(make_config(folder))
        before = {k: v.clone() for k, v in runner.model.state_dict().items()}
        runner.train()

        scalars = next((folder / 'work').glob('*/vis_data/scalars.json'))
        entries = [json.loads(line) for line in scalars.read_text().splitlines()]
        losses = [entry['loss'] for entry in entries if 'loss' in entry]
        scores = [e['multi-label/mAP'] for e in entries if 'multi-label/mAP' in e]
        if runner.iter != 2 or not losses or not all(map(math.isfinite, losses)):
            raise RuntimeError(f'{runner.iter} steps with losses {losses}')
        if len(scores) != 1 or not 0 <= scores[0] <= 100:
            raise RuntimeError(f'one mAP expected, found {scores}')
        moved = [
            key
            for key, value in runner.model.named_parameters()
            if not torch.equal(before[key], value)
        ]
        for part in ('backbone.', 'head.'):
            if not [key for key in moved if key.startswith(part)]:
                raise RuntimeError(f'no parameter of {part} has moved')

        # The Runner's own checkpoint loads with weights_only=True.
        resumed = make_config(folder)
        resumed.update(resume=True, experiment_name='two_steps_resumed')
        resumed.train_cfg.max_epochs = 2
        second = Runner.from_cfg(resumed)
        second.train()
        if second.iter != 4:
            raise RuntimeError(f'resumed run ended after step {second.iter}, not 4')
    print(f'two steps: losses {losses}, mAP {scores[0]:.2f}; resumed to step 4')


if __name__ == '__main__':
    main()
