# Table 6: ResNet-50 with a sigmoid layer.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/coco14_spml.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
optim_wrapper = dict(optimizer=dict(lr=3e-5), paramwise_cfg=dict(gcn_lr=None))
