title = 'Learning rate of each loss on Corel5k-74, with a bias that starts at -3'
note = (
    'As corel5k74_losses_lr.py, but every label starts from a probability of 0.05, as '
    'it does in SCPNet. The choice goes by the column of the held-out photos.'
)
seeds = 1
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
_init = dict(type='Normal', layer='Linear', std=0.01, bias=-3.0)
columns = [
    dict(
        name=f'lr {lr:g}',
        options={'optim_wrapper.optimizer.lr': lr, 'model.head.init_cfg': _init},
    )
    for lr in (1e-3, 3e-3, 1e-2)
]
reference = 'spml-an'
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'
rows = [
    dict(name=name, config=f'{_baselines}-{name}.py')
    for name in (
        'spml-an',
        'spml-bce',
        'spml-pbce',
        'spml-wan',
        'spml-anls',
        'spml-epr',
        'spml-role',
        'spml-llr',
        'spml-llct',
        'spml-llcp',
        'spml-focal',
        'spml-asl-ignore',
        'spml-asl-negative',
        'spml-asl-selective',
        'spml-hill',
        'spml-splc',
        'spml-gr',
        'spml-em',
        'spml-emapl',
        'full',
    )
]
