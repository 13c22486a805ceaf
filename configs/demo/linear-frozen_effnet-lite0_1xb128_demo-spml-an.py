# The same training with what a newcomer would try first: a linear classifier that
# takes every unknown label for a negative one.
_base_ = [
    '../_base_/models/linear_effnet-lite0.py',
    '../_base_/datasets/demo_scenes_spml.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
optim_wrapper = dict(optimizer=dict(lr=3e-3))
default_hooks = dict(
    feature_bank=dict(num_draws=2),
    # A scene shows about three labels.
    contact_sheet=dict(type='ContactSheetHook', threshold=None, topk=3),
)
