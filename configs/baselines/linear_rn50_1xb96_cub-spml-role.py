# Regularised online label estimation (Cole et al., 2021).
_base_ = './linear_rn50_1xb96_cub-spml-splc.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='ROLELoss', expected_positives=31.4))
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'head.loss_module': 10}))
