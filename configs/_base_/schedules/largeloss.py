# The LargeLoss set-up: Adam, a constant rate, the classifier ten times faster.
optim_wrapper = dict(
    constructor='SCPNetOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=1e-5),
    paramwise_cfg=dict(lr_mult={'head': 10}),
)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=10, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=16)
