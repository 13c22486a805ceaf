# Known labels only, weighted by their share (Durand et al., 2019).
_base_ = '../_base_/linear_corel5k74.py'
model = dict(head=dict(loss=dict(_delete_=True, type='PartialBCELoss', normalize=True)))
# Chosen among 3e-4, 1e-3, 3e-3 and 1e-2 on the held-out photos.
optim_wrapper = dict(optimizer=dict(lr=3e-4))
