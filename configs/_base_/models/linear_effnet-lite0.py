# A linear classifier on frozen EfficientNet-Lite0 (ImageNet), for baselines.
model = dict(
    type='SCPNet',
    frozen_backbone=True,
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
    backbone=dict(type='EfficientNetLite0', pretrained='package'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='IncompleteLabelLinearHead',
        in_channels=1280,
        dropout=0.5,
        loss=dict(type='AssumeNegativeLoss'),
    ),
)
