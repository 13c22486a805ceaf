# COCO 2014, partial labels (82,783 / 40,504 photos). The files come from
# tools/dataset_converters/coco2014.py data/coco2014 --images all
data_root = 'data/coco2014/'
classes = 'coco80'
# The share of labels, positive and negative, that stay known: 0.1 ... 0.9.
label_ratio = 0.1
label_seed = 0

# A labelled and a weak view of the same kind, and a strong one (FixMatch).
weak_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=448),
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
        type='LabelProtocol',
        protocol='partial-sarb',
        ratio=label_ratio,
        seed=label_seed,
    ),
    dict(
        type='MultiView',
        transforms=[weak_view, weak_view, strong_view],
        num_views=[1, 1, 1],
    ),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=448, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=448),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        data_root=data_root,
        ann_file='multilabel/train2014.json',
        data_prefix='train2014',
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
        ann_file='multilabel/val2014.json',
        data_prefix='val2014',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = val_dataloader
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
