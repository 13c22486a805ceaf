# Entropy maximisation, asymmetric pseudo-labelling (Zhou et al., 2022).
_base_ = './linear_rn50_1xb16_voc12-largeloss-an.py'
model = dict(
    head=dict(
        loss=dict(
            _delete_=True,
            type='EntropyMaximizationLoss',
            alpha=0.2,
            beta=0.02,
            warmup_epochs=5,
            max_epochs=10,
        )
    )
)
