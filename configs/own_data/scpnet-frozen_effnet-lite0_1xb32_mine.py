# For a CPU: the image encoder is frozen, and nothing but packages is downloaded.
_base_ = [
    '../_base_/models/scpnet_effnet-lite0_minilm.py',
    '../_base_/datasets/own_data.py',
    '../_base_/schedules/frozen_head.py',
    '../_base_/frozen_runtime.py',
]
model = dict(head=dict(classes={{_base_.classes}}))
# Those that were best on photos, see configs/README.md.
optim_wrapper = dict(optimizer=dict(lr=1e-2), paramwise_cfg=dict(gcn_lr=1e-3))
# The epoch is chosen on the validation photos; there is no other test set.
default_hooks = dict(feature_bank=dict(num_draws=2), test_best=None)
auto_scale_lr = dict(base_batch_size=32)
