# For a GPU: CLIP RN50, all of it trained. OpenAI's weights are downloaded.
_base_ = [
    '../_base_/models/scpnet_clip-rn50.py',
    '../_base_/datasets/own_data.py',
    '../_base_/schedules/scpnet.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}, label_graph=dict(topk=5)))
param_scheduler = dict(total_epochs=40)
train_cfg = dict(max_epochs=30)
auto_scale_lr = dict(base_batch_size=32)
