_base_ = './corel5k74_methods.py'
title = 'Modules of SCPNet on Corel5k-74, one positive label an image'
note = (
    'The rows of Table 3 in the setting of corel5k74_methods.py: image and label '
    'features (CMP), label graph (SAM), and the two losses of PESSL.'
)
reference = 'CMP'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
_linear = (
    '../../../configs/baselines/'
    'linear-frozen_effnet-lite0_1xb128_corel5k74-spml-splc.py'
)
_no_pessl = {'model.head.pessl': None}
_no_sam = {
    'model.head.association': None,
    'optim_wrapper.paramwise_cfg.gcn_lr': None,
}
rows = [
    dict(name='Baseline (SPLC, linear)', config=_linear),
    dict(name='CMP', config=_scpnet, options={**_no_sam, **_no_pessl}),
    dict(name='CMP, SAM', config=_scpnet, options=_no_pessl),
    dict(
        name='CMP, SAM, consistency',
        config=_scpnet,
        options={'model.head.pessl.loss_weight_dstl': 0.0},
    ),
    dict(
        name='CMP, SAM, self-distillation',
        config=_scpnet,
        options={'model.head.pessl.loss_weight_cst': 0.0},
    ),
    dict(name='SCPNet', config=_scpnet),
]
