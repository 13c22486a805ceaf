# SPLC in its own set-up; baseline of Table 3.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/nus_spml.py',
    '../_base_/splc_views.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='SinglePositiveLabel', seed={{_base_.label_seed}}),
            dict(type='Resize', scale=(448, 448), backend='pillow'),
            dict(type='Cutout', shape=224, prob=1.0),
            dict(type='FixMatchRandAugment', num_policies=3),
            dict(type='PackInputs'),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline={{_base_.splc_test}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.splc_test}}))
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(gcn_lr=None))
param_scheduler = dict(total_epochs=80)
train_cfg = dict(max_epochs=31)
