title = "Table 6: SCPNet's label side on an ImageNet ResNet-50, COCO"
_folder = '../../../configs'
reference = 'ResNet, sigmoid'
columns = [dict(name='COCO')]
rows = [
    dict(
        name='ResNet, sigmoid',
        config=f'{_folder}/baselines/linear_rn50_1xb128_coco14-spml-splc.py',
        published=dict(COCO=73.18),
    ),
    dict(
        name='ResNet, label side of SCPNet',
        config=f'{_folder}/scpnet/scpnet_rn50_1xb128_coco14-spml.py',
        published=dict(COCO=74.72),
    ),
    dict(
        name='SCPNet',
        config=f'{_folder}/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
        published=dict(COCO=76.42),
    ),
]
