# CLIP without training: the prompt "a photo of a [CLS]." and the scaled cosine, no
# label graph. `python tools/test.py` takes this config without a checkpoint.
_base_ = './scpnet_clip-rn50_1xb128_coco14-spml.py'
# The scale of Eq. 7 in place of CLIP's 100, with which scores round to 1; the order of
# the photos, and so the mAP, is the same. At a threshold of 0.5 scores say nothing.
model = dict(head=dict(association=None, label_graph=None, pessl=None))
optim_wrapper = dict(paramwise_cfg=dict(gcn_lr=None))
