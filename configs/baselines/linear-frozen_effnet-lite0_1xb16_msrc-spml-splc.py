_base_ = './linear-frozen_effnet-lite0_1xb16_msrc-spml-an.py'
model = dict(head=dict(loss=dict(type='SPLCLoss', _delete_=True)))
# As on Corel5k-74.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
