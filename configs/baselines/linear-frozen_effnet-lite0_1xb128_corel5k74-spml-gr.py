# Generalised robust loss (Chen et al., 2024), settings of its released code.
_base_ = '../_base_/linear_corel5k74.py'
model = dict(
    head=dict(loss=dict(_delete_=True, type='GeneralizedRobustLoss', max_epochs=30))
)
# Chosen on the held-out photos, as is the start of the bias.
optim_wrapper = dict(optimizer=dict(lr=1e-2))
