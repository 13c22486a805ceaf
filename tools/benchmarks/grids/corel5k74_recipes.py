title = 'What the faster recipes cost: SCPNet on Corel5k-74, one positive label'
note = (
    'SCPNet as in corel5k74_methods.py, image encoder frozen. Recipes with the same '
    'gradients (no-teacher-grad, channels-last, compile) are not trained again. Two '
    'views: the labelled view is the weak one too. Accumulated: four batches of 32 a '
    'step, in place of one of 128.'
)
seeds = 3
# A head on stored features trains faster than workers can be fed.
options = {
    f'{name}_dataloader.{key}': value
    for name in ('train', 'val', 'test')
    for key, value in [('num_workers', 0), ('persistent_workers', False)]
}
_config = '../../../configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
_weak = [
    dict(type='AntialiasedRandomResizedCrop', scale=128),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
_strong = [
    dict(type='FixMatchRandAugment', num_policies=3),
    dict(type='RelativeCutout', max_ratio=0.5),
    *_weak,
]
reference = 'Exact'
rows = [
    dict(name='Exact', config=_config),
    dict(
        name='Two views',
        config=_config,
        options={
            'train_dataloader.dataset.dataset.pipeline.2': dict(
                transforms=[_weak, _strong], num_views=[1, 1]
            )
        },
    ),
    dict(
        name='Accumulated over 4 batches',
        config=_config,
        options={
            'train_dataloader.batch_size': 32,
            'optim_wrapper.accumulative_counts': 4,
        },
    ),
]
