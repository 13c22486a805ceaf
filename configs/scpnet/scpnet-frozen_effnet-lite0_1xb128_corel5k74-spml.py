_base_ = [
    '../_base_/models/scpnet_effnet-lite0_minilm.py',
    '../_base_/datasets/corel5k74_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# Chosen on the held-out photos (corel5k74_scpnet_lr.py).
optim_wrapper = dict(optimizer=dict(lr=1e-2), paramwise_cfg=dict(gcn_lr=1e-3))
