# Assume negative: every unknown label counts as negative.
_base_ = [
    '../_base_/models/linear_effnet-lite0.py',
    '../_base_/datasets/msrc_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
init_cfg = dict(type='Normal', layer='Linear', std=0.01, bias=-3.0)
model = dict(head=dict(init_cfg=init_cfg, classes={{_base_.classes}}))
auto_scale_lr = dict(base_batch_size=16)
# As on Corel5k-74, and so is the start of the bias.
optim_wrapper = dict(optimizer=dict(lr=1e-3))
