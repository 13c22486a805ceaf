# Known labels only.
_base_ = './linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
model = dict(head=dict(loss=dict(_delete_=True, type='PartialBCELoss')))
