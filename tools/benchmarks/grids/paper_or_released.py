title = 'What the released code does otherwise, each alone'
note = (
    "First row: the paper. Last row: everything as in the released code. CLIP's scale "
    'is on NUS-WIDE only. The softmax over kept entries gives the same graph unless a '
    'kept similarity is exactly 0. The learning rate of SAM is not among the settings '
    'of the last row: which group the published runs had it in is unknown.'
)
_folder = '../../../configs/scpnet'
_paper = f'{_folder}/scpnet_clip-rn50_1xb128_coco14-spml.py'
_paper_nus = f'{_folder}/scpnet_clip-rn50_1xb128_nus-spml.py'
reference = 'Paper'
columns = [dict(name='COCO', config=_paper), dict(name='NUS', config=_paper_nus)]
_graph = 'model.head.label_graph'
_switches = {
    'Stored similarity matrix': {
        f'{_graph}.source': dict(
            _delete_=True,
            type='SimilarityFile',
            path='data/label_similarity/clip_rn50_coco.npy',
        )
    },
    'Softmax over kept entries': {f'{_graph}.softmax_over': 'kept'},
    'SAM with Eq. 3': {'model.head.association.matrix': 'reweighted'},
    'No activation after the last layer of SAM': {
        'model.head.association.activate_last': False
    },
    'Observed positives in O(x)': {'model.head.pessl.include_observed': True},
    'Sample mask': {'model.head.pessl.sample_mask': True},
    'Cross-entropy for KL': {'model.head.pessl.divergence': 'cross_entropy'},
    'BatchNorm frozen in the first epoch': {
        'default_hooks.frozen_norm': dict(type='FrozenNormHook', epochs=1)
    },
    'Learning rate of SAM as of the rest': {'optim_wrapper.paramwise_cfg.gcn_lr': 3e-5},
}
rows = [
    dict(name='Paper'),
    *[dict(name=n, columns=['COCO'], options=o) for n, o in _switches.items()],
    dict(name="CLIP's scale", columns=['NUS'], options={'model.head.scale': 'clip'}),
    dict(
        name='Released code',
        config=dict(
            COCO=f'{_folder}/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
            NUS=f'{_folder}/scpnet_clip-rn50_1xb128_nus-spml_release.py',
        ),
        published=dict(COCO=76.42, NUS=62.04),
    ),
]
