# Regularised online label estimation (Cole et al., 2021).
_base_ = './linear_rn50_1xb128_voc12-spml-splc.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='ROLELoss', expected_positives=1.5))
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'head.loss_module': 10}))
