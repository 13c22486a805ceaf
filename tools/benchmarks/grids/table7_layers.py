title = 'Table 7: layers of SAM, COCO'
reference = 'L = 3'
columns = [
    dict(
        name='COCO',
        config='../../../configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
    )
]
rows = [
    dict(
        name=f'L = {layers}',
        options={'model.head.association.num_layers': layers},
        published=dict(COCO=figure),
    )
    for layers, figure in [(2, 75.88), (3, 76.42), (4, 76.22)]
]
