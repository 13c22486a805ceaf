title = 'Table 2: partial labels'
note = (
    'At 448 px. Each label, positive or negative, is known with the probability in the '
    'heading. SCPNet: CLIP RN101, with the switches of the released code, which has no '
    'partial labels, and a label graph from texts, as that code stores no matrix of '
    'RN101. In SCPNet* the image encoder is frozen. Losses: ResNet-101 (ImageNet), one '
    'view; of them the paper prints the mean of SPLC only (baseline of Table 3); its '
    'other peers are architectures. EPR, ROLE, EM, GR loss and LargeLoss are left out: '
    'they need settings by data set or length that nobody has published for these. '
    '"Mean": the published mean of the nine shares, to compare with that of the nine '
    'columns before.'
)
_scpnet = '../../../configs/scpnet/scpnet'
_linear = '../../../configs/baselines/linear_rn101'
_ratios = [10, 20, 30, 40, 50, 60, 70, 80, 90]
_sets = dict(COCO='coco14', VOC2007='voc07', VG200='vg200')
seeds = 1
columns = [
    column
    for name in _sets
    for column in [
        *(
            dict(
                name=f'{name} {ratio}%',
                options={'train_dataloader.dataset.pipeline.1.ratio': ratio / 100},
            )
            for ratio in _ratios
        ),
        dict(name=f'{name} mean'),
    ]
]
_run = {f'{name} {ratio}%': file for name, file in _sets.items() for ratio in _ratios}
_released = {
    'model.head.association.matrix': 'reweighted',
    'model.head.association.activate_last': False,
    'model.head.label_graph.softmax_over': 'kept',
    'model.head.pessl.divergence': 'cross_entropy',
    'model.head.pessl.include_observed': True,
    'model.head.pessl.sample_mask': True,
}
_figures = dict(
    COCO=[79.1, 82.1, 82.8, 83.9, 84.5, 84.9, 85.4, 85.7, 85.9, 83.8],
    VOC2007=[91.1, 92.8, 93.5, 93.6, 93.8, 94.0, 94.1, 94.2, 94.3, 93.5],
    VG200=[43.8, 46.4, 48.2, 49.6, 50.4, 50.9, 51.3, 51.6, 52.0, 49.4],
)
_frozen = dict(COCO=[80.3, 82.2, 82.8, 83.4, 83.8, 83.9, 84.0, 84.1, 84.2, 83.2])
_published, _published_frozen = (
    {
        f'{name} {end}': value
        for name, values in figures.items()
        for end, value in zip([*(f'{ratio}%' for ratio in _ratios), 'mean'], values)
    }
    for figures in (_figures, _frozen)
)
_losses = {
    'Known labels only (BCE)': dict(type='PartialBCELoss'),
    'Partial BCE': dict(type='PartialBCELoss', normalize=True),
    'ASL, unknown ignored': dict(type='PartialAsymmetricLoss', unknown='ignore'),
    'ASL, unknown negative': dict(type='PartialAsymmetricLoss', unknown='negative'),
    'ASL, selective': dict(type='PartialAsymmetricLoss', unknown='selective'),
    'Assume negative': dict(type='AssumeNegativeLoss'),
    'Weak AN': dict(type='WeakAssumeNegativeLoss'),
    'AN, label smoothing': dict(type='LabelSmoothingANLoss'),
    'Focal': dict(type='PartialFocalLoss'),
    'Hill': dict(type='HillLoss'),
}
reference = 'SPLC, linear'
rows = [
    dict(
        name='SCPNet',
        config={
            c: f'{_scpnet}_clip-rn101_1xb32_{f}-partial.py' for c, f in _run.items()
        },
        columns=list(_run),
        options={
            **_released,
            'default_hooks.frozen_norm': dict(type='FrozenNormHook', epochs=1),
        },
        published=_published,
    ),
    dict(
        name='SCPNet*',
        config={
            c: f'{_scpnet}-frozen_clip-rn101_1xb32_{f}-partial.py'
            for c, f in _run.items()
        },
        columns=list(_run),
        options=_released,
        published=_published_frozen,
    ),
    dict(
        name='SPLC, linear',
        config={c: f'{_linear}_1xb32_{f}-partial-splc.py' for c, f in _run.items()},
        columns=list(_run),
        published={'COCO mean': 77.41, 'VOC2007 mean': 88.32, 'VG200 mean': 46.39},
    ),
] + [
    dict(
        name=f'{name}, linear',
        config={c: f'{_linear}_1xb32_{f}-partial-splc.py' for c, f in _run.items()},
        columns=list(_run),
        options={'model.head.loss': dict(_delete_=True, **loss)},
    )
    for name, loss in _losses.items()
]
