# SCPNet* of Table 2: the image encoder is not trained, so its features are computed
# once and only the label side trains.
_base_ = './scpnet_clip-rn101_1xb32_coco14-partial.py'
model = dict(frozen_backbone=True)
default_hooks = dict(feature_bank=dict(type='FeatureBankHook', num_draws=8))
