# Assume negative: every unknown label counts as negative.
_base_ = [
    '../_base_/models/linear_effnet-lite0.py',
    '../_base_/datasets/corel5k74_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# Chosen among 3e-4, 1e-3, 3e-3 and 1e-2 on the held-out photos.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
