# Table 6: SCPNet's label side on an image encoder that knows ImageNet only.
_base_ = [
    '../_base_/models/scpnet_rn50.py',
    '../_base_/datasets/coco14_spml.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classes={{_base_.classes}},
        label_graph=dict(topk=62, neighbor_weight=0.2, temperature=0.2),
        pessl=dict(hard_k=2, loss_weight_cst=1 / 8, loss_weight_dstl=1 / 8),
    )
)
optim_wrapper = dict(optimizer=dict(lr=3e-5), paramwise_cfg=dict(gcn_lr=1e-5))
param_scheduler = dict(total_epochs=80)
train_cfg = dict(max_epochs=60)
