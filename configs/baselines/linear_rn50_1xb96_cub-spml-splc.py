# Tables 1 and 3: ResNet-50 under SPLC.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/cub_spml.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
optim_wrapper = dict(optimizer=dict(lr=3e-4), paramwise_cfg=dict(gcn_lr=None))
param_scheduler = dict(total_epochs=100)
train_cfg = dict(max_epochs=100)
auto_scale_lr = dict(base_batch_size=96)
