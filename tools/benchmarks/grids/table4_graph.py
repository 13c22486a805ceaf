title = 'Table 4: label graph of SAM and of PESSL, COCO'
note = (
    'Static: from CLIP, Eq. 4. Dynamic: from the learnt label features. None: a graph '
    'in which each label is its own only neighbour.'
)
reference = 'SAM static, PESSL static'
columns = [
    dict(
        name='COCO',
        config='../../../configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
    )
]
_static = dict(topk=62, neighbor_weight=0.2, temperature=0.2)
_dynamic = dict(_delete_=True, type='DynamicLabelGraph', **_static)
_none = dict(type='DynamicLabelGraph', topk=1)
_source = dict(
    type='StaticLabelGraph',
    source=dict(
        type='TextSource',
        text_encoder=dict(type='CLIPTextEncoder', model='RN50', pretrained='openai'),
        templates='a photo of a {}',
    ),
    **_static,
)
rows = [
    dict(name='SAM static, PESSL static', published=dict(COCO=76.42)),
    dict(
        name='SAM static, PESSL dynamic',
        options={
            'model.head.pessl_label_graph': dict(type='DynamicLabelGraph', **_static)
        },
        published=dict(COCO=76.05),
    ),
    dict(
        name='SAM static, PESSL none',
        options={'model.head.pessl_label_graph': _none},
        published=dict(COCO=75.83),
    ),
    dict(
        name='SAM dynamic, PESSL static',
        options={
            'model.head.label_graph': _dynamic,
            'model.head.pessl_label_graph': _source,
        },
        published=dict(COCO=76.08),
    ),
    dict(
        name='SAM dynamic, PESSL dynamic',
        options={'model.head.label_graph': _dynamic},
        published=dict(COCO=75.84),
    ),
    dict(
        name='SAM dynamic with gradient, PESSL dynamic',
        options={'model.head.label_graph': dict(**_dynamic, with_grad=True)},
    ),
]
