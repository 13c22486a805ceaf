title = 'SCPNet on MSRC, one positive label an image'
note = (
    'Frozen EfficientNet-Lite0 (ImageNet) at 128 px, label features and label graph of '
    'a sentence encoder; 30 epochs of 20 steps; 36 held-out training photos with all '
    'labels choose the epoch; 236 test photos. Settings of the larger Corel5k-74.'
)
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
reference = 'SPLC, linear'
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb16_msrc'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb16_msrc-spml.py'
rows = [
    dict(name='Assume negative, linear', config=f'{_baselines}-spml-an.py'),
    dict(name='SPLC, linear', config=f'{_baselines}-spml-splc.py'),
    dict(name='SCPNet', config=_scpnet),
    dict(name='All labels, linear', config=f'{_baselines}-full.py'),
]
