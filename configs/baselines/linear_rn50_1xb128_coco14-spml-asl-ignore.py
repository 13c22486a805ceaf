# Asymmetric loss, unknown labels left out.
_base_ = './linear_rn50_1xb128_coco14-spml-splc.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='ignore'))
)
