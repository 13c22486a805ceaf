_base_ = [
    '../_base_/models/scpnet_effnet-lite0_minilm.py',
    '../_base_/datasets/msrc_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# With the projection's learning rate SAM diverges.
optim_wrapper = dict(optimizer=dict(lr=3e-3), paramwise_cfg=dict(gcn_lr=3e-4))
auto_scale_lr = dict(base_batch_size=16)
