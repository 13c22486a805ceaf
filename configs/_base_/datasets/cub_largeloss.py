# CUB-200-2011, 312 attributes (4,795 / 1,199 photos; tested on 5,794)
# in the LargeLoss set-up: one positive label a photo; a fifth of the training photos,
# fully labelled, chooses the epoch. The files come from the converter of the dataset
# and from tools/dataset_converters/make_incomplete_labels.py, protocol spml-largeloss.
data_root = 'data/CUB_200_2011/'
classes = data_root + 'multilabel/classes.txt'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(448, 448), backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(448, 448), backend='pillow'),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/train_spml-largeloss.json',
        data_prefix='images',
        classes=classes,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/train_spml-largeloss_holdout.json',
        data_prefix='images',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = dict(
    batch_size=64,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/test.json',
        data_prefix='images',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
