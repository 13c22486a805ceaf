# Three views of a photo for SCPNet in the LargeLoss set-up, at its 448 pixels; the
# annotation file has one label a photo.
weak_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=448),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
strong_view = [
    dict(type='FixMatchRandAugment', num_policies=3),
    dict(type='RelativeCutout', max_ratio=0.5),
    *weak_view,
]
three_views = [
    dict(type='LoadImageFromFile'),
    dict(
        type='MultiView',
        transforms=[weak_view, weak_view, strong_view],
        num_views=[1, 1, 1],
    ),
    dict(type='PackInputs'),
]
