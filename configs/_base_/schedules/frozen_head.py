# A head on the features of a frozen image encoder: seconds an epoch on a CPU.
optim_wrapper = dict(
    constructor='SCPNetOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4),
)
param_scheduler = dict(
    type='GroupOneCycleLR',
    total_epochs=30,
    pct_start=0.2,
    convert_to_iter_based=True,
)

train_cfg = dict(type='ResumableTrainLoop', max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()

auto_scale_lr = dict(base_batch_size=128)
