# SPLC in its own set-up; baseline of Table 3. SPLC's code leaves VOC out: as long as
# SCPNet's.
_base_ = [
    '../_base_/models/linear_rn50.py',
    '../_base_/datasets/voc12_spml.py',
    '../_base_/splc_views.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
train_dataloader = dict(dataset=dict(pipeline={{_base_.splc_train}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.splc_test}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.splc_test}}))
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(gcn_lr=None))
param_scheduler = dict(total_epochs=120)
train_cfg = dict(max_epochs=120)
