_base_ = [
    '../_base_/models/scpnet_effnet-lite0_minilm.py',
    '../_base_/datasets/msrc_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# Those of Corel5k-74.
optim_wrapper = dict(optimizer=dict(lr=1e-2), paramwise_cfg=dict(gcn_lr=1e-3))
auto_scale_lr = dict(base_batch_size=16)
