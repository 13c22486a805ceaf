# Entropy maximisation, asymmetric pseudo-labelling (Zhou et al., 2022).
_base_ = './linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
model = dict(
    head=dict(
        loss=dict(
            _delete_=True,
            type='EntropyMaximizationLoss',
            alpha=0.1,
            beta=0.2,
            warmup_epochs=10,
            max_epochs=30,
        )
    )
)
