title = 'Table 8: weights of consistency and self-distillation, COCO'
reference = '1/8, 1/8'
columns = [
    dict(
        name='COCO',
        config='../../../configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
    )
]
rows = [
    dict(
        name=f'{cst}, {dstl}',
        options={
            'model.head.pessl.loss_weight_cst': eighths_cst / 8,
            'model.head.pessl.loss_weight_dstl': eighths_dstl / 8,
        },
        published=dict(COCO=figure),
    )
    for cst, eighths_cst, dstl, eighths_dstl, figure in [
        ('0', 0.0, '0', 0.0, 75.12),
        ('1/16', 0.5, '0', 0.0, 75.56),
        ('1/8', 1.0, '0', 0.0, 75.70),
        ('1/4', 2.0, '0', 0.0, 75.13),
        ('1/8', 1.0, '1/8', 1.0, 76.42),
        ('1/8', 1.0, '2/8', 2.0, 76.40),
        ('1/8', 1.0, '3/8', 3.0, 76.17),
    ]
]
