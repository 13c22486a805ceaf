# Focal loss, unknown labels negative (Lin et al., 2017).
_base_ = './linear_rn50_1xb128_coco14-spml-splc.py'
model = dict(head=dict(loss=dict(_delete_=True, type='PartialFocalLoss')))
