# Hill loss (Zhang et al., 2021).
_base_ = './linear_rn50_1xb128_coco14-spml-splc.py'
model = dict(head=dict(loss=dict(_delete_=True, type='HillLoss')))
