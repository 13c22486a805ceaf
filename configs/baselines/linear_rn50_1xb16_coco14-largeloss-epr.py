# Expected-positive regularisation (Cole et al., 2021); a photo has 2.9 labels.
_base_ = './linear_rn50_1xb16_coco14-largeloss-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='EPRLoss', expected_positives=2.9))
)
