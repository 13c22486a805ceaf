# LargeLoss, permanent correction (Kim et al., 2022).
_base_ = '../_base_/linear_corel5k74.py'
# Chosen on the held-out photos, as is the start of the bias.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
init_cfg = dict(type='Normal', layer='Linear', std=0.01, bias=-3.0)
model = dict(
    head=dict(
        init_cfg=init_cfg,
        loss=dict(_delete_=True, type='LargeLoss', scheme='LL-Cp', delta_rel=0.2),
    )
)
