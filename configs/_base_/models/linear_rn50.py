# MMPretrain's ResNet-50 (ImageNet) with a linear classifier.
imagenet = (
    'https://download.openmmlab.com/mmclassification/v0/resnet/'
    'resnet50_8xb32_in1k_20210831-ea4938fc.pth'
)
model = dict(
    type='SCPNet',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(3,),
        style='pytorch',
        init_cfg=dict(type='Pretrained', checkpoint=imagenet, prefix='backbone'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='IncompleteLabelLinearHead',
        in_channels=2048,
        loss=dict(type='SPLCLoss'),
    ),
)
