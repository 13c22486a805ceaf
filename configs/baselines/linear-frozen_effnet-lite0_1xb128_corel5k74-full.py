# The ceiling: the same linear classifier with all labels known.
_base_ = './linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
train_pipeline = [
    t for t in _base_.train_pipeline if t['type'] != 'SinglePositiveLabel'
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
# Chosen among 3e-4, 1e-3, 3e-3 and 1e-2 on the held-out photos.
optim_wrapper = dict(optimizer=dict(lr=1e-2))
