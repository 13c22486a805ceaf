title = 'Demonstration scenes, one positive label each'
note = (
    'Frozen EfficientNet-Lite0 (ImageNet) at 128 px, label features and label graph of '
    'a sentence encoder; a tenth of the training scenes, with all labels, chooses the '
    'epoch. A demonstration: it says nothing about photos.'
)
reference = 'Assume negative, linear'
_demo = '../../../configs/demo'
rows = [
    dict(
        name='Assume negative, linear',
        config=f'{_demo}/linear-frozen_effnet-lite0_1xb128_demo-spml-an.py',
    ),
    dict(
        name='SCPNet',
        config=f'{_demo}/scpnet-frozen_effnet-lite0_1xb128_demo-spml.py',
    ),
]
