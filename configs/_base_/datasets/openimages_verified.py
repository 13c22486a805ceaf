# Open Images, labels that a person has verified or refuted; nothing is known of the
# others, so no label is masked. The 601 classes with boxes. The files come from
# tools/dataset_converters/open_images.py data/open_images --version v6 \
#     --classes data/open_images/class-descriptions-boxable.csv
data_root = 'data/open_images/'
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
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='OpenImages',
        data_root=data_root,
        split='train',
        classes=classes,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='OpenImages',
        data_root=data_root,
        split='validation',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='MultiLabelMAP')

test_dataloader = dict(
    batch_size=128,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='OpenImages',
        data_root=data_root,
        split='test',
        classes=classes,
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='MultiLabelMAP', per_class_table=True)
