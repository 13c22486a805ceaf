title = 'Methods on Corel5k-74, partial labels'
note = (
    'As corel5k74_methods.py, but each label of a training photo, positive or '
    "negative, is known with the probability in the heading (SARB's draw). Settings "
    'are those of one positive label an image; nothing was tuned anew.'
)
seeds = 5
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
columns = [
    dict(
        name=f'{percent}%',
        options={
            'train_dataloader.dataset.dataset.pipeline.1': dict(
                type='LabelProtocol',
                protocol='partial-sarb',
                ratio=percent / 100,
                seed=0,
            )
        },
    )
    for percent in (10, 50, 90)
]
reference = 'Known labels only (BCE), linear'
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
_losses = {
    'Known labels only (BCE)': 'spml-bce',
    'Partial BCE': 'spml-pbce',
    'ASL, unknown ignored': 'spml-asl-ignore',
    'Assume negative': 'spml-an',
    'Weak AN': 'spml-wan',
    'AN, label smoothing': 'spml-anls',
    'EPR': 'spml-epr',
    'ROLE': 'spml-role',
    'LargeLoss, LL-R': 'spml-llr',
    'LargeLoss, LL-Ct': 'spml-llct',
    'LargeLoss, LL-Cp': 'spml-llcp',
    'Focal': 'spml-focal',
    'ASL, unknown negative': 'spml-asl-negative',
    'ASL, selective': 'spml-asl-selective',
    'Hill': 'spml-hill',
    'SPLC': 'spml-splc',
    'GR loss': 'spml-gr',
    'EM': 'spml-em',
    'EM + APL': 'spml-emapl',
}
rows = [dict(name='SCPNet', config=_scpnet)] + [
    dict(name=f'{name}, linear', config=f'{_baselines}-{config}.py')
    for name, config in _losses.items()
]
