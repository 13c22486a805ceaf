_base_ = './linear-frozen_effnet-lite0_1xb16_msrc-spml-an.py'
model = dict(head=dict(loss=dict(type='SPLCLoss', _delete_=True)))
# The best rate on Corel5k-74 with a bias that starts at 0.
optim_wrapper = dict(optimizer=dict(lr=1e-3))
