# Photos of your own in data/mine/photos, their labels in data/mine/multilabel as
# tools/dataset_converters/from_files.py writes them there: train.json, val.json and
# classes.txt. The files say whether a label that a photo does not list is unknown.
data_root = 'data/mine/'
classes = data_root + 'multilabel/classes.txt'

# A labelled and a weak view of the same kind, and a strong one (FixMatch).
weak_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
strong_view = [
    dict(type='FixMatchRandAugment', num_policies=3),
    dict(type='RelativeCutout', max_ratio=0.5),
    *weak_view,
]

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='MultiView',
        transforms=[weak_view, weak_view, strong_view],
        num_views=[1, 1, 1],
    ),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=224, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/train.json',
        data_prefix='photos',
        classes=classes,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/val.json',
        data_prefix='photos',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = val_dataloader
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
