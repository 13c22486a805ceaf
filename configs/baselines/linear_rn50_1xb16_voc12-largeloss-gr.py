# Generalised robust loss (Chen et al., 2024), settings of its released code.
_base_ = './linear_rn50_1xb16_voc12-largeloss-an.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='GeneralizedRobustLoss', max_epochs=10))
)
