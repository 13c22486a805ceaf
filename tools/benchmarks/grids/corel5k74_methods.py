title = 'Methods on Corel5k-74, one positive label an image'
note = (
    'Frozen EfficientNet-Lite0 (ImageNet) at 128 px; 30 epochs; 443 held-out training '
    'photos with all labels choose the epoch; 490 test photos. Seven settings were '
    'tried for each method on the held-out photos and label seed 0: four learning '
    'rates with a bias that starts at 0 (corel5k74_losses_lr.py) and three with one '
    'that starts at -3 (corel5k74_losses_bias.py); for SCPNet, whose label features '
    'and label graph come from a sentence encoder, rates of projection and SAM '
    '(corel5k74_scpnet_lr.py).'
)
seeds = 5
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
reference = 'SPLC, linear'
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
_losses = {
    'Assume negative': 'spml-an',
    'SPLC': 'spml-splc',
    'Known labels only (BCE)': 'spml-bce',
    'Partial BCE': 'spml-pbce',
    'ASL, unknown ignored': 'spml-asl-ignore',
    'Weak AN': 'spml-wan',
    'AN, label smoothing': 'spml-anls',
    'Focal': 'spml-focal',
    'ASL, unknown negative': 'spml-asl-negative',
    'ASL, selective': 'spml-asl-selective',
    'Hill': 'spml-hill',
    'EPR': 'spml-epr',
    'ROLE': 'spml-role',
    'LargeLoss, LL-R': 'spml-llr',
    'LargeLoss, LL-Ct': 'spml-llct',
    'LargeLoss, LL-Cp': 'spml-llcp',
    'GR loss': 'spml-gr',
    'EM': 'spml-em',
    'EM + APL': 'spml-emapl',
    'All labels': 'full',
}
rows = [
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
] + [
    dict(name=f'{name}, linear', config=f'{_baselines}-{config}.py')
    for name, config in _losses.items()
]
