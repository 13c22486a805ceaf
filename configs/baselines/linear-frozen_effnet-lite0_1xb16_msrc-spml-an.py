# Assume negative: every unknown label counts as negative.
_base_ = [
    '../_base_/models/linear_effnet-lite0.py',
    '../_base_/datasets/msrc_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
auto_scale_lr = dict(base_batch_size=16)
# The best rate on Corel5k-74 with a bias that starts at 0.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
