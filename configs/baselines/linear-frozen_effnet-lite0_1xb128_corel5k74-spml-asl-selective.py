# Class-aware selective asymmetric loss (Ben-Baruch et al., 2022).
_base_ = '../_base_/linear_corel5k74.py'
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='selective')
    )
)
# Chosen among 3e-4, 1e-3, 3e-3 and 1e-2 on the held-out photos.
optim_wrapper = dict(optimizer=dict(lr=1e-2))
