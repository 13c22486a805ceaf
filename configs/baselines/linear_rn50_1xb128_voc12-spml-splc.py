# Baseline of Table 3: ResNet-50 with a sigmoid layer.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/voc12_spml.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
optim_wrapper = dict(optimizer=dict(lr=4e-5), paramwise_cfg=dict(gcn_lr=None))
param_scheduler = dict(total_epochs=120)
train_cfg = dict(max_epochs=120)
