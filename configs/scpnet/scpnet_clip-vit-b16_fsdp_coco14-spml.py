# The recipe of scpnet_clip-vit-b16_1xb128_coco14-spml.py with parameters, gradients and
# optimiser state sharded over the GPUs, batch 128 in all:
#   bash tools/dist_train.sh configs/scpnet/scpnet_clip-vit-b16_fsdp_coco14-spml.py 4
_base_ = './scpnet_clip-vit-b16_1xb128_coco14-spml.py'
runner_type = 'FlexibleRunner'
strategy = dict(
    # FlexibleRunner builds it before the default scope is known.
    type='mmscpnet.SCPNetFSDPStrategy',
    wrap=['backbone.visual.transformer.resblocks.*'],
)
train_dataloader = dict(batch_size=32)
