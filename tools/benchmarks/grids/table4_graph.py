title = 'Table 4: label graph of SAM and of PESSL, COCO'
note = (
    'Static: from CLIP, Eq. 4. Dynamic: from the learnt label features. None: each '
    'label is its own only neighbour, so that SAM is an MLP and PESSL distils without '
    'a prior. The paper has five of these.'
)
reference = 'SAM static, PESSL static'
columns = [
    dict(
        name='COCO',
        config='../../../configs/scpnet/scpnet_clip-rn50_1xb128_coco14-spml_release.py',
    )
]
_settings = dict(topk=62, neighbor_weight=0.2, temperature=0.2, softmax_over='kept')
_static = dict(
    type='StaticLabelGraph',
    source=dict(type='SimilarityFile', path='data/label_similarity/clip_rn50_coco.npy'),
    **_settings,
)
_dynamic = dict(type='DynamicLabelGraph', **_settings)
_none = dict(type='DynamicLabelGraph', topk=1, neighbor_weight=0.0)
_sam, _pessl = 'model.head.label_graph', 'model.head.pessl_label_graph'
rows = [
    dict(name='SAM static, PESSL static', published=dict(COCO=76.42)),
    dict(
        name='SAM static, PESSL dynamic',
        options={_pessl: _dynamic},
        published=dict(COCO=76.05),
    ),
    dict(
        name='SAM static, PESSL none',
        options={_pessl: _none},
        published=dict(COCO=75.83),
    ),
    dict(
        name='SAM dynamic, PESSL static',
        options={_sam: dict(_delete_=True, **_dynamic), _pessl: _static},
        published=dict(COCO=76.08),
    ),
    dict(
        name='SAM dynamic, PESSL dynamic',
        options={_sam: dict(_delete_=True, **_dynamic)},
        published=dict(COCO=75.84),
    ),
    dict(
        name='SAM dynamic, PESSL none',
        options={_sam: dict(_delete_=True, **_dynamic), _pessl: _none},
    ),
    dict(
        name='SAM none, PESSL static',
        options={_sam: dict(_delete_=True, **_none), _pessl: _static},
    ),
    dict(
        name='SAM none, PESSL dynamic',
        options={_sam: dict(_delete_=True, **_none), _pessl: _dynamic},
    ),
    dict(
        name='SAM none, PESSL none',
        options={_sam: dict(_delete_=True, **_none)},
    ),
    dict(
        name='No SAM, PESSL static',
        options={
            'model.head.association': None,
            'optim_wrapper.paramwise_cfg.gcn_lr': None,
        },
    ),
    dict(
        name='SAM dynamic with gradient, PESSL dynamic',
        options={_sam: dict(_delete_=True, **_dynamic, with_grad=True)},
    ),
]
