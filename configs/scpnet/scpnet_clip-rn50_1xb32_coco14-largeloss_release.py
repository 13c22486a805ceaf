# As the released code trains. It has the SPLC set-up only; that the published figures
# of this one came out of the same code is assumed.
_base_ = './scpnet_clip-rn50_1xb32_coco14-largeloss.py'
model = dict(
    head=dict(
        association=dict(matrix='reweighted', activate_last=False),
        label_graph=dict(
            # A matrix that the released code stores.
            source=dict(
                _delete_=True,
                type='SimilarityFile',
                path='data/label_similarity/clip_rn50_coco.npy',
            ),
            softmax_over='kept',
        ),
        pessl=dict(divergence='cross_entropy', include_observed=True, sample_mask=True),
    )
)
# Batch norm is frozen in the first epoch only.
default_hooks = dict(frozen_norm=dict(type='FrozenNormHook', epochs=1))
