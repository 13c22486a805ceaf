"""A run that is resumed at any iteration ends, to the bit, like one that is not."""

import shutil

import pytest
import torch

from mmscpnet.utils.cli import build_runner
from tests.end_to_end.tiny_run import assert_same_end, load_tiny_run, write_tiny_run

LAST = 'iter_12.pth'


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train(config, work_dir, **options):
    build_runner(load_tiny_run(config, work_dir, **options)).train()
    return work_dir


def resume(config, checkpoint, work_dir, **options):
    """Go on from a checkpoint of another folder, the best one at hand too."""
    work_dir.mkdir()
    for path in checkpoint.parent.glob('best_*.pth'):
        shutil.copy(path, work_dir)
    return train(config, work_dir, resume=True, load_from=str(checkpoint), **options)


@pytest.fixture(scope='module')
def whole_runs(tmp_path_factory):
    """Runs without interruption, with a checkpoint at each iteration."""
    runs = {}

    def get(workers, bank):
        if (workers, bank) not in runs:
            folder = tmp_path_factory.mktemp(f'workers{workers}_bank{bank}')
            config = write_tiny_run(folder, workers, bank)
            runs[workers, bank] = config, train(config, folder / 'whole')
        return runs[workers, bank]

    return get


# Within an epoch, and at the end of one.
@pytest.mark.parametrize(
    'workers, bank, iteration',
    [
        (0, False, 2),
        (0, False, 4),
        (2, False, 5),
        (0, True, 7),
        (2, True, 9),
    ],
)
def test_resumed_at_an_iteration(whole_runs, tmp_path, workers, bank, iteration):
    config, whole = whole_runs(workers, bank)
    parts = resume(config, whole / f'iter_{iteration}.pth', tmp_path / 'parts')
    assert_same_end(whole / LAST, parts / LAST)
    best = [next(folder.glob('best_*.pth')) for folder in (whole, parts)]
    assert best[0].name == best[1].name
    assert_same_end(*best)


@pytest.mark.parametrize('bank', [False, True])
def test_workers_make_no_difference(whole_runs, bank):
    first, second = (whole_runs(workers, bank)[1] for workers in (0, 2))
    assert_same_end(first / LAST, second / LAST)


def test_the_run_has_all_kinds_of_state(whole_runs):
    """Otherwise the tests above would show little."""
    from mmscpnet.utils.checkpoint import read_checkpoint

    _, whole = whole_runs(0, False)
    before, after = (
        read_checkpoint(str(whole / name)) for name in ('iter_3.pth', LAST)
    )
    for part in ('state_dict', 'ema_state_dict'):
        changed = {
            key.split('.')[-1]
            for key, value in after[part].items()
            if not torch.equal(value, before[part][key])
        }
        assert {'weight', 'running_mean', '_extra_state'} <= changed
    assert after['optimizer']['state'] and after['param_schedulers']
    assert len(after['message_hub']['log_scalars']['train/loss'].data[0]) == 12


def test_another_seed_is_another_run(whole_runs, tmp_path):
    config, whole = whole_runs(0, False)
    other = train(config, tmp_path / 'other', **{'randomness.seed': 1})
    with pytest.raises(AssertionError):
        assert_same_end(whole / LAST, other / LAST)


def test_resumed_by_epochs_as_by_default(tmp_path):
    """The checkpoint lies before the validation of its epoch, which is made up for."""
    config = write_tiny_run(tmp_path)
    options = {
        'default_hooks.checkpoint.by_epoch': True,
        'default_hooks.checkpoint.max_keep_ckpts': 2,
    }
    whole = tmp_path / 'whole'
    runner = build_runner(load_tiny_run(config, whole, **options))
    saved = {}

    def keep(name):
        saved[name] = tmp_path / f'{name}.pth'
        shutil.copy(whole / f'{name}.pth', saved[name])

    loop = runner.build_train_loop(runner._train_loop)
    runner._train_loop = loop
    validate, loop._validate = (
        loop._validate,
        lambda: (keep(f'epoch_{loop.epoch}'), validate()),
    )
    runner.train()
    assert sorted(path.name for path in whole.glob('epoch_*')) == [
        'epoch_2.pth',
        'epoch_3.pth',
    ]
    for name in ('epoch_1', 'epoch_2'):
        folder = tmp_path / f'from_{name}'
        parts = resume(config, saved[name], folder, **options)
        assert_same_end(whole / 'epoch_3.pth', parts / 'epoch_3.pth')


def test_gradients_that_wait_for_their_step(tmp_path):
    """Accumulation over 3 batches; 5 iterations are one step and two thirds."""
    config = write_tiny_run(tmp_path)
    options = {
        'optim_wrapper.accumulative_counts': 3,
        'train_cfg.max_epochs': 2,
    }
    whole = train(config, tmp_path / 'whole', **options)
    parts = resume(config, whole / 'iter_5.pth', tmp_path / 'parts', **options)
    assert_same_end(whole / 'iter_8.pth', parts / 'iter_8.pth')


def test_the_seed_of_the_checkpoint_wins(tmp_path):
    """``--seed 5`` at first, no seed when it is resumed."""
    config = write_tiny_run(tmp_path)
    short = {'train_cfg.max_epochs': 2}
    whole = train(config, tmp_path / 'whole', **{'randomness.seed': 5}, **short)
    parts = resume(config, whole / 'iter_3.pth', tmp_path / 'parts', **short)
    assert_same_end(whole / 'iter_8.pth', parts / 'iter_8.pth')


def test_another_batch_size_goes_on_at_an_epoch(tmp_path, capfd):
    config = write_tiny_run(tmp_path)
    whole = train(config, tmp_path / 'whole', **{'train_cfg.max_epochs': 1})
    options = {'train_dataloader.batch_size': 7}
    parts = resume(config, whole / 'iter_4.pth', tmp_path / 'parts', **options)
    printed = capfd.readouterr()
    assert '4 iterations an epoch, here it takes 2' in printed.out + printed.err
    # One epoch of four iterations, two of two.
    assert sorted(path.name for path in parts.glob('iter_*'))[-1] == 'iter_8.pth'


def test_a_config_may_say_by_epoch(tmp_path):
    config = load_tiny_run(
        write_tiny_run(tmp_path), tmp_path / 'work', **{'train_cfg.by_epoch': True}
    )
    runner = build_runner(config)
    loop = runner.build_train_loop(runner._train_loop)
    assert type(loop).__name__ == 'ResumableTrainLoop'


def test_batches_of_changing_size_are_refused(tmp_path):
    config = load_tiny_run(write_tiny_run(tmp_path), tmp_path / 'work')

    class Odd(torch.utils.data.BatchSampler):
        pass

    from mmengine.registry import DATA_SAMPLERS

    DATA_SAMPLERS.register_module(module=Odd, name='OddBatches', force=True)
    config.train_dataloader.batch_sampler = dict(
        type='mmengine.OddBatches', drop_last=False
    )
    with pytest.raises(ValueError, match='batch_sampler=Odd'):
        build_runner(config).train()
