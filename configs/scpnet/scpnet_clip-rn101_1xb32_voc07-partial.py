# Partial labels at 448 x 448. The share that is known is one variable, label_ratio in
# the data set's file: --cfg-options train_dataloader.dataset.pipeline.1.ratio=0.5
# The supplement, which has the settings of partial labels, was not at hand: these are
# those of VOC 2012 with one positive label.
_base_ = [
    '../_base_/models/scpnet_clip-rn101.py',
    '../_base_/datasets/voc07_partial.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(img_size=448),
    head=dict(
        classes={{_base_.classes}},
        label_graph=dict(topk=20, neighbor_weight=0.2, temperature=0.3),
        pessl=dict(hard_k=5, loss_weight_cst=1 / 8, loss_weight_dstl=2 / 8),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=4e-5), paramwise_cfg=dict(gcn_lr=2e-4))
param_scheduler = dict(total_epochs=120)
train_cfg = dict(max_epochs=120)
auto_scale_lr = dict(base_batch_size=32)
