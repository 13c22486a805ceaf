# Baseline of Table 3, partial labels: ResNet-101 under L_cls, which is SPLC, with the
# schedule of SCPNet's config. Other losses: tools/benchmarks/grids/table2_partial.py
_base_ = [
    '../_base_/models/linear_rn101.py',
    '../_base_/datasets/voc07_partial.py',
    '../_base_/partial_one_view.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
train_dataloader = dict(dataset=dict(pipeline={{_base_.one_view}}))
optim_wrapper = dict(optimizer=dict(lr=4e-5), paramwise_cfg=dict(gcn_lr=None))
param_scheduler = dict(total_epochs=120)
train_cfg = dict(max_epochs=120)
auto_scale_lr = dict(base_batch_size=32)
