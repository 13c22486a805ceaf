# Table 1, LargeLoss set-up. The paper's supplement, which has its settings, was not at
# hand: those of the SPLC set-up, at 448 pixels.
_base_ = [
    '../_base_/models/scpnet_clip-rn50.py',
    '../_base_/datasets/nus_largeloss.py',
    '../_base_/largeloss_views.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(img_size=448),
    head=dict(
        classes={{_base_.classes}},
        label_graph=dict(topk=50, neighbor_weight=0.2, temperature=0.2),
        pessl=dict(hard_k=6, loss_weight_cst=1 / 8, loss_weight_dstl=1 / 8),
    ),
)
train_dataloader = dict(batch_size=32, dataset=dict(pipeline={{_base_.three_views}}))
optim_wrapper = dict(optimizer=dict(lr=3e-5), paramwise_cfg=dict(gcn_lr=1e-4))
param_scheduler = dict(total_epochs=80)
train_cfg = dict(max_epochs=60)
default_hooks = dict(test_best=dict(type='TestBestHook'))
auto_scale_lr = dict(base_batch_size=32)
