title = 'Fine-tuned image encoder, Corel5k-74, one positive label an image'
note = (
    'EfficientNet-Lite0 (ImageNet) at 128 px, trained too, batch norm held still: 3 '
    'epochs, Adam at 1e-4, head at ten times that, nothing tuned. Linear classifiers '
    'see one view of a photo, SCPNet three. 443 held-out photos choose the epoch; 490 '
    'test photos.'
)
epochs = 3
seeds = 3
options = {
    # Forked after an epoch, they would keep a second copy of its memory.
    **{
        f'{name}_dataloader.{key}': value
        for name in ('val', 'test')
        for key, value in [('num_workers', 0), ('persistent_workers', False)]
    },
    'model.frozen_backbone': False,
    'default_hooks.feature_bank': None,
    'default_hooks.frozen_norm': dict(type='FrozenNormHook', epochs=3),
    'model.channels_last': True,
    'optim_wrapper.optimizer.lr': 1e-4,
    'optim_wrapper.paramwise_cfg': dict(lr_mult=dict(head=10.0)),
}
_view = [
    dict(type='AntialiasedRandomResizedCrop', scale=128),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
# Of three views a linear classifier's loss would read the first only.
_one_view = {
    'train_dataloader.dataset.dataset.pipeline.2': dict(
        transforms=[_view], num_views=[1]
    )
}
_baselines = '../../../configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'
_scpnet = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
reference = 'Assume negative, linear'
# Batch norm is still, so that the teacher needs no gradient.
rows = [dict(name='SCPNet', config=_scpnet, options={'model.teacher_grad': False})] + [
    dict(
        name=f'{name}, linear',
        config=f'{_baselines}-{config}.py',
        options={**_one_view, **options_of_loss},
    )
    for name, config, options_of_loss in (
        ('Assume negative', 'spml-an', {}),
        ('SPLC', 'spml-splc', {}),
        ('LargeLoss, LL-R', 'spml-llr', {}),
        (
            'EM + APL',
            'spml-emapl',
            # as large a part of the epochs as elsewhere
            {'model.head.loss.warmup_epochs': 1, 'model.head.loss.max_epochs': 3},
        ),
    )
]
rows.append(
    dict(
        name='All labels, linear',
        config=f'{_baselines}-full.py',
        options={
            'train_dataloader.dataset.dataset.pipeline.1': dict(
                transforms=[_view], num_views=[1]
            )
        },
    )
)
