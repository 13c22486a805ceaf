# Known labels only, weighted by their share (Durand et al., 2019).
_base_ = './linear_rn50_1xb16_voc12-largeloss-an.py'
model = dict(head=dict(loss=dict(_delete_=True, type='PartialBCELoss', normalize=True)))
