# Regularised online label estimation (Cole et al., 2021).
_base_ = './linear_rn50_1xb128_nus-spml-splc.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='ROLELoss', expected_positives=1.9))
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'head.loss_module': 10}))
