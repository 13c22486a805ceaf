# A linear classifier on Corel5k-74; a config adds its loss and learning rate.
_base_ = [
    './models/linear_effnet-lite0.py',
    './datasets/corel5k74_spml.py',
    './schedules/frozen_head.py',
    './frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
