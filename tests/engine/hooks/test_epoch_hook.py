import pytest

from mmscpnet.engine import SetEpochHook


def test_epochs_are_told_once_each(make_runner):
    runner = make_runner(epochs=3, hooks=[dict(type='SetEpochHook')])
    runner.train()
    assert runner.model.epochs == [0, 1, 2]


def test_resumed_run_is_told_the_true_epoch(make_runner, tmp_path):
    make_runner(epochs=2, work_dir=tmp_path / 'a').train()
    runner = make_runner(
        epochs=4,
        hooks=[dict(type='SetEpochHook')],
        load_from=str(tmp_path / 'a' / 'epoch_2.pth'),
        resume=True,
    )
    runner.train()
    assert runner.model.epochs == [2, 3]


def test_iteration_based_loop(make_runner):
    cfg = dict(by_epoch=False, max_iters=7, val_interval=100)
    runner = make_runner(
        train_cfg=dict(cfg),
        checkpoint=dict(by_epoch=False, interval=100),
        hooks=[dict(type='SetEpochHook', epoch_length=3)],
    )
    # mmengine sleeps when it starts the data over
    runner._train_dataloader['sampler'] = dict(type='InfiniteSampler')
    runner.train()
    assert runner.model.epochs == [0, 1, 2]
    runner = make_runner(train_cfg=dict(cfg), hooks=[dict(type='SetEpochHook')])
    with pytest.raises(ValueError, match='SetEpochHook.*epoch_length'):
        runner.train()


@pytest.mark.parametrize('value', [0, -1, 1.5])
def test_refused_length(value):
    with pytest.raises(ValueError, match='epoch_length'):
        SetEpochHook(epoch_length=value)
