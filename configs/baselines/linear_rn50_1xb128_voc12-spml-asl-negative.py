# Asymmetric loss, unknown labels negative (Ridnik et al., 2021).
_base_ = './linear_rn50_1xb128_voc12-spml-splc.py'
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='negative')
    )
)
