# The ceiling: the same linear classifier with all labels known.
_base_ = './linear-frozen_effnet-lite0_1xb16_msrc-spml-an.py'
train_pipeline = [
    t for t in _base_.train_pipeline if t['type'] != 'SinglePositiveLabel'
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
# As on Corel5k-74.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
