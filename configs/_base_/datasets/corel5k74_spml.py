# Corel5k, the 74 words with at least 50 training photos, one positive label each. A
# tenth of the training photos, fully labelled, is held out to choose the epoch.
data_root = 'data/corel5k/'
classes = data_root + 'classes_74.txt'
label_seed = 0

# A labelled and a weak view of the same kind, and a strong one (FixMatch).
weak_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=128),
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
    dict(type='ResizeEdge', scale=128, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=128),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='KFoldDataset',
        fold=0,
        num_splits=10,
        seed=0,
        test_mode=False,
        dataset=dict(
            type='MultiLabelListDataset',
            data_root=data_root,
            ann_file='train_74.txt',
            data_prefix='images',
            classes=classes,
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='KFoldDataset',
        fold=0,
        num_splits=10,
        seed=0,
        test_mode=True,
        dataset=dict(
            type='MultiLabelListDataset',
            data_root=data_root,
            ann_file='train_74.txt',
            data_prefix='images',
            classes=classes,
            pipeline=test_pipeline,
        ),
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = dict(
    batch_size=256,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MultiLabelListDataset',
        data_root=data_root,
        ann_file='test_74.txt',
        data_prefix='images',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
