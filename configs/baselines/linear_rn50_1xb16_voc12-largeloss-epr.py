# Expected-positive regularisation (Cole et al., 2021); a photo has 1.5 labels.
_base_ = './linear_rn50_1xb16_voc12-largeloss-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='EPRLoss', expected_positives=1.5))
)
