title = 'What the released code does otherwise, each alone, COCO'
note = 'First row: the paper. Last row: everything as in the released code.'
_folder = '../../../configs/scpnet'
_paper = f'{_folder}/scpnet_clip-rn50_1xb128_coco14-spml.py'
reference = 'Paper'
columns = [dict(name='COCO')]
_switches = {
    'SAM with Eq. 3': {'model.head.association.matrix': 'reweighted'},
    'Observed positives in O(x)': {'model.head.pessl.include_observed': True},
    'Sample mask': {'model.head.pessl.sample_mask': True},
    'Cross-entropy for KL': {'model.head.pessl.divergence': 'cross_entropy'},
    'BatchNorm frozen in the first epoch': {
        'default_hooks.frozen_norm': dict(type='FrozenNormHook', epochs=1)
    },
    'Learning rate of SAM as of the rest': {'optim_wrapper.paramwise_cfg.gcn_lr': 3e-5},
}
rows = [
    dict(name='Paper', config=_paper),
    *[dict(name=n, config=_paper, options=o) for n, o in _switches.items()],
    dict(
        name='Released code',
        config=f'{_folder}/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
        published=dict(COCO=76.42),
    ),
]
