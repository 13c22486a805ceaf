# The recipe of the published runs; learning rates and lengths differ by dataset.
optim_wrapper = dict(
    constructor='SCPNetOptimWrapperConstructor',
    # torch's Adam couples weight decay with the gradient, as the recipe wants.
    optimizer=dict(type='Adam', lr=3e-5, weight_decay=1e-4),
    # The GCN has its own learning rate; None puts it into the ordinary groups.
    paramwise_cfg=dict(gcn_lr=1e-5),
)
# One cycle for each group's own maximum; it may be longer than the run.
param_scheduler = dict(
    type='GroupOneCycleLR',
    total_epochs=80,
    pct_start=0.2,
    convert_to_iter_based=True,
)

train_cfg = dict(type='ResumableTrainLoop', max_epochs=60, val_interval=1)
val_cfg = dict()
test_cfg = dict()

# For --auto-scale-lr: it scales the maximum of every group.
auto_scale_lr = dict(base_batch_size=128)
