title = 'SCPNet on Corel5k-74, one positive label an image'
note = (
    'Frozen EfficientNet-Lite0 (ImageNet) at 128 px, label features and label graph of '
    'a sentence encoder; 30 epochs; 443 held-out training photos with all labels '
    'choose the epoch; 490 test photos.'
)
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
reference = 'SPLC, linear'
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
rows = [
    dict(name='Assume negative, linear', config=f'{_baselines}-spml-an.py'),
    dict(name='SPLC, linear', config=f'{_baselines}-spml-splc.py'),
    dict(
        name='SCPNet without SAM and PESSL',
        config=_scpnet,
        options={
            'model.head.association': None,
            'model.head.pessl': None,
            'optim_wrapper.paramwise_cfg.gcn_lr': None,
        },
    ),
    dict(
        name='SCPNet without PESSL',
        config=_scpnet,
        options={'model.head.pessl': None},
    ),
    dict(name='SCPNet', config=_scpnet),
    dict(name='All labels, linear', config=f'{_baselines}-full.py'),
]
