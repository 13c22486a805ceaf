# Entropy maximisation, asymmetric pseudo-labelling (Zhou et al., 2022).
_base_ = './linear_rn50_1xb16_coco14-largeloss-an.py'
model = dict(
    head=dict(
        loss=dict(
            _delete_=True,
            type='EntropyMaximizationLoss',
            alpha=0.1,
            beta=0.9,
            warmup_epochs=5,
            max_epochs=10,
        )
    )
)
