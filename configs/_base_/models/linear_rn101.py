# MMPretrain's ResNet-101 (ImageNet) with a linear classifier.
_base_ = './linear_rn50.py'
imagenet = (
    'https://download.openmmlab.com/mmclassification/v0/resnet/'
    'resnet101_8xb32_in1k_20210831-539c63f8.pth'
)
model = dict(backbone=dict(depth=101, init_cfg=dict(checkpoint=imagenet)))
