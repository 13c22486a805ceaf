# Known labels only.
_base_ = './linear_rn50_1xb16_coco14-largeloss-an.py'
model = dict(head=dict(loss=dict(_delete_=True, type='PartialBCELoss')))
