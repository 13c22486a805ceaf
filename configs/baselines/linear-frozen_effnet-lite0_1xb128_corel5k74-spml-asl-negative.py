# Asymmetric loss, unknown labels negative (Ridnik et al., 2021).
_base_ = '../_base_/linear_corel5k74.py'
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='negative')
    )
)
# Chosen on the held-out photos, as is the start of the bias.
optim_wrapper = dict(optimizer=dict(lr=3e-4))
