# Scenes composed of OpenMoji drawings, one positive label each; a demonstration. They
# are drawn on first use. A tenth of the training scenes, fully labelled, is held out
# to choose the epoch.
data_root = 'data/demo_scenes/'
classes = 'demo'
label_seed = 0

weak_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=128, crop_ratio_range=(0.3, 1.0)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
strong_view = [
    dict(type='FixMatchRandAugment', num_policies=3),
    dict(type='RelativeCutout', max_ratio=0.5),
    *weak_view,
]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='SinglePositiveLabel', seed=label_seed),
    dict(
        type='MultiView',
        transforms=[weak_view, weak_view, strong_view],
        num_views=[1, 1, 1],
    ),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(128, 128)),
    dict(type='PackInputs'),
]

train_scenes = dict(type='DemoScenes', data_root=data_root, split='train')
held_out = dict(type='KFoldDataset', fold=0, num_splits=10, seed=0)
train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        **held_out,
        test_mode=False,
        dataset=dict(**train_scenes, pipeline=train_pipeline),
    ),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        **held_out,
        test_mode=True,
        dataset=dict(**train_scenes, pipeline=test_pipeline),
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = dict(
    batch_size=250,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='DemoScenes', data_root=data_root, split='test', pipeline=test_pipeline
    ),
)
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
