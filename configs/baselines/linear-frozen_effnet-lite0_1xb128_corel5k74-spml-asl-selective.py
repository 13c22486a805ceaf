# Class-aware selective asymmetric loss (Ben-Baruch et al., 2022).
_base_ = './linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
model = dict(
    head=dict(
        loss=dict(_delete_=True, type='PartialAsymmetricLoss', unknown='selective')
    )
)
