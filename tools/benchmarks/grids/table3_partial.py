title = 'Table 3: modules of SCPNet, partial labels'
note = (
    'The other half of table3_modules.py. CLIP RN101 at 448 px with the switches of '
    'the released code, see table2_partial.py; baseline: ResNet-101 (ImageNet) under '
    'SPLC, one view. The paper prints the mean over nine shares of known labels only: '
    'it is in the columns "mean", to compare with that of the nine columns before.'
)
_scpnet = '../../../configs/scpnet/scpnet_clip-rn101'
_resnet = '../../../configs/baselines/linear_rn101'
_ratios = [10, 20, 30, 40, 50, 60, 70, 80, 90]
_sets = dict(COCO='coco14', VOC2007='voc07', VG200='vg200')
seeds = 1
columns = [
    column
    for name, file in _sets.items()
    for column in [
        *(
            dict(
                name=f'{name} {ratio}%',
                config=f'{_scpnet}_1xb32_{file}-partial.py',
                options={'train_dataloader.dataset.pipeline.1.ratio': ratio / 100},
            )
            for ratio in _ratios
        ),
        dict(name=f'{name} mean'),
    ]
]
_run = {f'{name} {ratio}%': file for name, file in _sets.items() for ratio in _ratios}
_norm = {'default_hooks.frozen_norm': dict(type='FrozenNormHook', epochs=1)}
_sam_off = {
    'model.head.association': None,
    'optim_wrapper.paramwise_cfg.gcn_lr': None,
}
_sam = {
    'model.head.association.matrix': 'reweighted',
    'model.head.association.activate_last': False,
    'model.head.label_graph.softmax_over': 'kept',
}
_pessl_off = {'model.head.pessl': None}
_pessl = {
    'model.head.pessl.divergence': 'cross_entropy',
    'model.head.pessl.include_observed': True,
    'model.head.pessl.sample_mask': True,
}
_only_cst = {'model.head.pessl.loss_weight_dstl': 0.0}
_only_dstl = {'model.head.pessl.loss_weight_cst': 0.0}
reference = 'CMP'
rows = [
    dict(
        name='Baseline (ResNet-101, SPLC)',
        config={c: f'{_resnet}_1xb32_{f}-partial-splc.py' for c, f in _run.items()},
        columns=list(_run),
        published={'COCO mean': 77.41, 'VOC2007 mean': 88.32, 'VG200 mean': 46.39},
    )
] + [
    dict(
        name=name,
        columns=list(_run),
        options={**_norm, **options},
        published=dict(zip(['COCO mean', 'VOC2007 mean', 'VG200 mean'], figures)),
    )
    for name, options, figures in [
        ('CMP', {**_sam_off, **_pessl_off}, [80.90, 89.16, 47.55]),
        ('CMP, SAM', {**_sam, **_pessl_off}, [82.12, 90.16, 48.11]),
        (
            'CMP, SAM, consistency',
            {**_sam, **_pessl, **_only_cst},
            [82.85, 92.50, 48.70],
        ),
        (
            'CMP, SAM, self-distillation',
            {**_sam, **_pessl, **_only_dstl},
            [83.35, 93.21, 48.83],
        ),
        ('SCPNet', {**_sam, **_pessl}, [83.76, 93.49, 49.36]),
    ]
]
