title = 'Table 3: modules of SCPNet, one positive label an image'
note = (
    'Settings of the released code, which produced the published figures; baseline: '
    'SPLC in its own set-up, at 448 px where SCPNet has 224 (table6_resnet.py has it '
    'at both). Partial labels: table3_partial.py.'
)
_scpnet = '../../../configs/scpnet/scpnet_clip-rn50'
_resnet = '../../../configs/baselines/linear_rn50'
columns = [
    dict(name='COCO', config=f'{_scpnet}_1xb128_coco14-spml_release.py'),
    dict(name='VOC', config=f'{_scpnet}_1xb128_voc12-spml_release.py'),
    dict(name='NUS', config=f'{_scpnet}_1xb128_nus-spml_release.py'),
    dict(name='CUB', config=f'{_scpnet}_1xb96_cub-spml_release.py'),
]
_sam_off = {
    'model.head.association': None,
    'optim_wrapper.paramwise_cfg.gcn_lr': None,
}
_only_cst = {'model.head.pessl.loss_weight_dstl': 0.0}
_only_dstl = {'model.head.pessl.loss_weight_cst': 0.0}
reference = 'CMP'
rows = [
    dict(
        name='Baseline (ResNet-50, SPLC)',
        config=dict(
            COCO=f'{_resnet}_1xb128_coco14-spml-splc.py',
            VOC=f'{_resnet}_1xb128_voc12-spml-splc.py',
            NUS=f'{_resnet}_1xb128_nus-spml-splc.py',
            CUB=f'{_resnet}_1xb96_cub-spml-splc.py',
        ),
        published=dict(COCO=73.18, VOC=88.07, NUS=55.18, CUB=19.99),
    ),
    dict(
        name='CMP',
        options={**_sam_off, 'model.head.pessl': None},
        published=dict(COCO=74.36, VOC=88.46, NUS=60.66, CUB=21.42),
    ),
    dict(
        name='CMP, SAM',
        options={'model.head.pessl': None},
        published=dict(COCO=75.12, VOC=89.09, NUS=61.08, CUB=21.66),
    ),
    dict(
        name='CMP, SAM, consistency',
        options=_only_cst,
        published=dict(COCO=75.70, VOC=90.92, NUS=61.75, CUB=23.67),
    ),
    dict(
        name='CMP, SAM, self-distillation',
        options=_only_dstl,
        published=dict(COCO=75.84, VOC=90.92, NUS=61.56, CUB=24.51),
    ),
    dict(
        name='SCPNet',
        published=dict(COCO=76.42, VOC=91.16, NUS=62.04, CUB=25.71),
    ),
]
