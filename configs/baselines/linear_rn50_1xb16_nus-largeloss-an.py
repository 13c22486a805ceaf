# Assume negative in the LargeLoss set-up; no averaged weights.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/nus_largeloss.py',
    '../_base_/schedules/largeloss.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classes={{_base_.classes}},
        loss=dict(_delete_=True, type='AssumeNegativeLoss'),
    )
)
default_hooks = dict(ema=None, test_best=dict(type='TestBestHook'))
