# For a head on the features of a frozen image encoder.
_base_ = './default_runtime.py'
default_hooks = dict(
    # To write a checkpoint takes a fifth of such an epoch; the best one is kept anyway.
    checkpoint=dict(interval=10),
    feature_bank=dict(type='FeatureBankHook', num_draws=4),
    test_best=dict(type='TestBestHook'),
)
