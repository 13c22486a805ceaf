title = 'Learning rates of SCPNet on Corel5k-74'
note = (
    'The same budget as for each loss of the linear classifier: seven settings, label '
    'seed 0. The choice goes by the column of the 443 held-out training photos, never '
    'by the test photos.'
)
seeds = 1
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
_config = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
rows = [
    dict(
        name=f'lr {lr:g}, SAM {gcn_lr:g}',
        config=_config,
        options={
            'optim_wrapper.optimizer.lr': lr,
            'optim_wrapper.paramwise_cfg.gcn_lr': gcn_lr,
        },
    )
    for lr, gcn_lr in [
        (1e-3, 3e-4),
        (1e-3, 1e-3),
        (3e-3, 1e-4),
        (3e-3, 3e-4),
        (3e-3, 1e-3),
        (1e-2, 3e-4),
        (1e-2, 1e-3),
    ]
]
