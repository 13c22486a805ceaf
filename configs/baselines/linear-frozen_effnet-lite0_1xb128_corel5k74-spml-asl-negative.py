# Asymmetric loss, unknown labels negative (Ridnik et al., 2021).
_base_ = '../_base_/linear_corel5k74.py'
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='negative')
    )
)
# Chosen among 3e-4, 1e-3, 3e-3 and 1e-2 on the held-out photos.
optim_wrapper = dict(optimizer=dict(lr=3e-4))
