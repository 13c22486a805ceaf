# LargeLoss, permanent correction (Kim et al., 2022).
_base_ = './linear_rn50_1xb16_coco14-largeloss-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='LargeLoss', scheme='LL-Cp', delta_rel=0.2))
)
