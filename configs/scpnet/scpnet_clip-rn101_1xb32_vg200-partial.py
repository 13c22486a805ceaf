# Partial labels at 448 x 448. The share that is known is one variable, label_ratio in
# the data set's file: --cfg-options train_dataloader.dataset.pipeline.1.ratio=0.5
# The supplement, which has the settings of partial labels, was not at hand: these are
# those of NUS-WIDE with one positive label, but for K, which is that of COCO.
_base_ = [
    '../_base_/models/scpnet_clip-rn101.py',
    '../_base_/datasets/vg200_partial.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(img_size=448),
    head=dict(
        classes={{_base_.classes}},
        label_graph=dict(topk=62, neighbor_weight=0.2, temperature=0.2),
        pessl=dict(hard_k=6),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=3e-5), paramwise_cfg=dict(gcn_lr=1e-4))
auto_scale_lr = dict(base_batch_size=32)
