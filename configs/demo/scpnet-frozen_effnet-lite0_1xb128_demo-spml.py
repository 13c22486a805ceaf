# The demonstration: no download beyond packages, minutes on two CPU cores.
_base_ = [
    '../_base_/models/scpnet_effnet-lite0_minilm.py',
    '../_base_/datasets/demo_scenes_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# With the projection's learning rate SAM diverges.
optim_wrapper = dict(optimizer=dict(lr=3e-3), paramwise_cfg=dict(gcn_lr=3e-4))
default_hooks = dict(
    feature_bank=dict(num_draws=2),
    # A scene shows about three labels.
    contact_sheet=dict(type='ContactSheetHook', threshold=None, topk=3),
)
