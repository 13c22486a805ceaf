# What every run shares.
default_scope = 'mmscpnet'
custom_imports = dict(imports=['mmscpnet'], allow_failed_imports=False)

# A dict, so that a config can change or remove (None) a single hook by its name.
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        # Every 500 iterations: by_epoch=False, interval=500; resumed just as exactly.
        interval=1,
        # Should the last one be damaged, --resume takes the one before.
        max_keep_ckpts=2,
        save_best='multi-label/mAP',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='VisualizationHook', enable=False),
    # Do classes, files and losses fit together? Before the first iteration.
    label_check=dict(type='LabelCheckHook'),
    # A loss that is not a number ends training; action='skip' leaves out the step.
    finite_loss=dict(type='FiniteLossHook'),
    # Losses that change with the epoch (SPLC) learn it from here.
    set_epoch=dict(type='SetEpochHook'),
    # Both models are evaluated each epoch; the better one drives save_best.
    ema=dict(type='ModelEMAHook', decay_per_epoch=0.82),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# In several processes batch norm that is trained takes its statistics from all of them
# (torch's SyncBatchNorm; GPUs only). In one process this does nothing.
sync_bn = 'torch'
# All losses, pseudo-labels an image, share of images that PESSL counts, mean threshold
# and the mAP of both models go to each of these. For others add
# dict(type='TensorboardVisBackend'), dict(type='MLflowVisBackend', exp_name='...') or
# dict(type='WandbVisBackend', init_kwargs=dict(project='...')) and install tensorboard,
# mlflow or wandb. The tools that draw curves read the files of the first.
visualizer = dict(
    type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]
)
log_processor = dict(window_size=20)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
