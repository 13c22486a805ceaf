# Regularised online label estimation (Cole et al., 2021).
_base_ = './linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='ROLELoss', expected_positives=2.7))
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'head.loss_module': 10}))
