# LargeLoss, rejection (Kim et al., 2022).
_base_ = './linear_rn50_1xb16_voc12-largeloss-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='LargeLoss', scheme='LL-R', delta_rel=0.2))
)
