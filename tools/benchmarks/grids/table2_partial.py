title = 'Table 2: partial labels'
note = (
    'CLIP RN101 at 448 px. Each label, positive or negative, is known with the '
    'probability in the heading. In SCPNet* the image encoder is frozen.'
)
_folder = '../../../configs/scpnet'
_ratios = [10, 20, 30, 40, 50, 60, 70, 80, 90]
_sets = dict(COCO='coco14', VOC2007='voc07', VG200='vg200')
seeds = 1
columns = [
    dict(
        name=f'{name} {ratio}%',
        options={'train_dataloader.dataset.pipeline.1.ratio': ratio / 100},
    )
    for name in _sets
    for ratio in _ratios
]
_published = dict(
    COCO=[79.1, 82.1, 82.8, 83.9, 84.5, 84.9, 85.4, 85.7, 85.9],
    VOC2007=[91.1, 92.8, 93.5, 93.6, 93.8, 94.0, 94.1, 94.2, 94.3],
    VG200=[43.8, 46.4, 48.2, 49.6, 50.4, 50.9, 51.3, 51.6, 52.0],
)
_frozen = [80.3, 82.2, 82.8, 83.4, 83.8, 83.9, 84.0, 84.1, 84.2]
rows = [
    dict(
        name=f'SCPNet, {name}',
        config=f'{_folder}/scpnet_clip-rn101_1xb32_{file}-partial.py',
        columns=[f'{name} {ratio}%' for ratio in _ratios],
        published={f'{name} {r}%': v for r, v in zip(_ratios, _published[name])},
    )
    for name, file in _sets.items()
] + [
    dict(
        name=f'SCPNet*, {name}',
        config=f'{_folder}/scpnet-frozen_clip-rn101_1xb32_{file}-partial.py',
        columns=[f'{name} {ratio}%' for ratio in _ratios],
        published={
            f'{name} {r}%': v for r, v in zip(_ratios, _frozen) if name == 'COCO'
        },
    )
    for name, file in _sets.items()
]
