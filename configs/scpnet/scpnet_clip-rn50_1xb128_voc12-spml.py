_base_ = [
    '../_base_/models/scpnet_clip-rn50.py',
    '../_base_/datasets/voc12_spml.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classes={{_base_.classes}},
        label_graph=dict(topk=20, neighbor_weight=0.2, temperature=0.3),
        pessl=dict(hard_k=5, loss_weight_cst=1 / 8, loss_weight_dstl=2 / 8),
    )
)
optim_wrapper = dict(optimizer=dict(lr=4e-5), paramwise_cfg=dict(gcn_lr=2e-4))
param_scheduler = dict(total_epochs=120)
train_cfg = dict(max_epochs=120)
