"""``tools/train.py``: a run, its continuation, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmscpnet.utils.checkpoint import runner_globals

TRAIN = Path(__file__).resolve().parents[2] / 'tools' / 'train.py'


def load(path):
    with torch.serialization.safe_globals(runner_globals()):
        return torch.load(path, weights_only=True)


def assert_same_tensors(first, second):
    assert first.keys() == second.keys()
    for key, value in first.items():
        if torch.is_tensor(value):
            assert torch.equal(value, second[key]), key


@pytest.fixture
def train(tool, config, tmp_path):
    module = tool('train.py')

    def run(*arguments, work_dir=tmp_path / 'work'):
        module.main([str(config), '--work-dir', str(work_dir), *arguments])
        return work_dir

    return run


def test_from_another_folder(config, tmp_path):
    """As a user starts it; the package is found without installation."""
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    result = subprocess.run(
        [sys.executable, str(TRAIN), str(config), '--cfg-options']
        + ['train_cfg.max_epochs=1'],
        cwd=tmp_path,
        env={**environment, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    # The default work folder is named after the config.
    assert (tmp_path / 'work_dirs' / 'tiny' / 'epoch_1.pth').is_file()


def test_resumed_run_equals_uninterrupted_run(train, tmp_path):
    longer = ['--cfg-options', 'train_cfg.max_epochs=3']
    whole = train(*longer, work_dir=tmp_path / 'whole')
    # As if it had been stopped in the third epoch.
    parts = tmp_path / 'parts'
    parts.mkdir()
    (parts / 'epoch_2.pth').write_bytes((whole / 'epoch_2.pth').read_bytes())
    (parts / 'last_checkpoint').write_text(str(parts / 'epoch_2.pth'))
    train('--resume', *longer, work_dir=parts)
    expected, found = load(whole / 'epoch_3.pth'), load(parts / 'epoch_3.pth')
    assert found['meta']['epoch'] == 3 and found['meta']['iter'] == 6
    assert_same_tensors(expected['state_dict'], found['state_dict'])
    assert_same_tensors(expected['ema_state_dict'], found['ema_state_dict'])
    momenta = [run['optimizer']['state'] for run in (expected, found)]
    assert momenta[0]
    for index, state in momenta[0].items():
        assert_same_tensors(state, momenta[1][index])
    # It did train: the average lags behind the weights.
    key = 'head.fc.weight'
    ema = found['ema_state_dict'][f'module.{key}']
    assert not torch.equal(found['state_dict'][key], ema)


def test_existing_checkpoints(train, tmp_path):
    """Refused at first, kept by ``--resume PATH``, removed by ``--overwrite``."""
    folder = train('--cfg-options', 'train_cfg.max_epochs=2')
    before = (folder / 'epoch_1.pth').read_bytes()
    with pytest.raises(ValueError, match='--resume.*--overwrite.*--work-dir'):
        train()
    assert (folder / 'epoch_1.pth').read_bytes() == before

    best = next(folder.glob('best_*.pth'))
    with pytest.raises(ValueError, match='load_from starts from'):
        train('--overwrite', '--cfg-options', f'load_from={best}')
    assert best.is_file()

    (folder / 'mine.pth').touch()
    train('--overwrite', '--cfg-options', 'train_cfg.max_epochs=1')
    assert (folder / 'epoch_1.pth').is_file() and (folder / 'mine.pth').is_file()
    assert not (folder / 'epoch_2.pth').exists()
    assert len(list(folder.glob('best_*.pth'))) == 1


def test_damaged_checkpoint_is_replaced_by_the_one_before(train, tmp_path, capfd):
    """Cut off at the end of training; then the third epoch is trained again."""
    longer = ['--cfg-options', 'train_cfg.max_epochs=3']
    folder = train(*longer)
    third = folder / 'epoch_3.pth'
    whole = load(third)
    content = third.read_bytes()
    third.write_bytes(content[:-1000])
    train('--resume', *longer)
    printed = capfd.readouterr()
    assert f'{third} is left out: it is cut off. Going on from' in (
        printed.out + printed.err
    )
    assert_same_tensors(whole['state_dict'], load(third)['state_dict'])
    other = str(folder.parent / 'other')
    # A file that the user names is not replaced by another.
    third.write_bytes(content[:-1000])
    for arguments in (
        ['--resume', str(third)],
        ['--overwrite', '--work-dir', other, '--cfg-options', f'load_from={third}'],
    ):
        with pytest.raises(ValueError, match='epoch_3.pth.*cannot be used: it is cut'):
            train(*arguments)


def test_checkpoint_with_code_is_not_resumed(train, tmp_path):
    other = str(tmp_path / 'other')

    class Code:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'code_ran'),)

    folder = train('--cfg-options', 'train_cfg.max_epochs=1')
    path = folder / 'epoch_2.pth'
    torch.save({'meta': {'iter': 9}, 'state_dict': {}, 'extra': Code()}, path)
    # Named, found by last_checkpoint, found as the newest of all.
    for arguments, pointer in (
        (['--resume', str(path)], None),
        (['--resume'], path),
        (['--resume'], ''),
        (
            ['--overwrite', '--work-dir', other, '--cfg-options', f'load_from={path}'],
            '',
        ),
    ):
        if pointer is not None:
            (folder / 'last_checkpoint').write_text(str(pointer))
        with pytest.raises(ValueError, match='A checkpoint was refused'):
            train(*arguments)
    assert not (tmp_path / 'code_ran').exists()


@pytest.mark.parametrize('kind', ['a file', 'below a file', 'full'])
def test_work_dir_that_cannot_be_written(train, tmp_path, monkeypatch, kind):
    """A file in place of a folder stands for missing rights, which root has."""
    (tmp_path / 'file').touch()
    folder = tmp_path / ('file' if kind == 'a file' else 'file/work')
    if kind == 'full':
        folder = tmp_path / 'work'

        def full(descriptor):
            raise OSError(28, 'No space left on device')

        monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(ValueError, match=f'{folder.name}.*cannot be written.*--work'):
        train(work_dir=folder)
    assert not list(tmp_path.rglob('*.pth'))


def test_seed_decides_the_run(train, tmp_path):
    once = ['--no-validate', '--cfg-options', 'train_cfg.max_epochs=1']
    runs = {
        name: load(
            train('--seed', seed, *once, work_dir=tmp_path / name) / 'epoch_1.pth'
        )
        for name, seed in dict(a='5', b='5', c='6').items()
    }
    assert_same_tensors(runs['a']['state_dict'], runs['b']['state_dict'])
    key = 'head.fc.weight'
    assert not torch.equal(runs['a']['state_dict'][key], runs['c']['state_dict'][key])
    # --no-validate: nothing was evaluated, so nothing was best.
    assert not list((tmp_path / 'a').glob('best_*.pth'))


@pytest.mark.parametrize(
    'arguments, error, message',
    [
        (['--resume', 'none.pth'], FileNotFoundError, "resume from 'none.pth'"),
        (
            ['--cfg-options', 'load_from=no.pth'],
            FileNotFoundError,
            "load_from 'no.pth'",
        ),
        (['--auto-scale-lr'], ValueError, 'base_batch_size'),
        (
            ['--amp', '--cfg-options', 'optim_wrapper.type=Mine'],
            ValueError,
            '--amp',
        ),
    ],
)
def test_refused_before_training(train, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        train(*arguments)
    assert not (tmp_path / 'work').exists()


def test_none_removes_any_default_hook(train):
    """MMEngine alone does that for its own hooks only."""
    options = ['default_hooks.visualization=None', 'default_hooks.checkpoint=None']
    folder = train('--no-validate', '--cfg-options', *options)
    assert not list(folder.glob('*.pth'))


def test_missing_config(tool):
    with pytest.raises(FileNotFoundError, match='config file .*no/where.py'):
        tool('train.py').main(['no/where.py'])


def test_compile_of_mmengine(train):
    with pytest.raises(ValueError, match='model.compile_backbone=True'):
        train('--cfg-options', 'compile=True')


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
def test_amp_needs_an_accelerator(train):
    with pytest.raises(ValueError, match='--amp needs a GPU'):
        train('--amp')


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
def test_launchers_without_accelerators(train, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(ValueError, match='dist_train.sh'):
        train('--launcher', 'pytorch')
    with pytest.raises(ValueError, match='--launcher slurm needs GPUs.*dist_train.sh'):
        train('--launcher', 'slurm')
    monkeypatch.setenv('RANK', '0')
    with pytest.raises(ValueError, match='env_cfg.dist_cfg.backend=gloo'):
        train('--launcher', 'pytorch')


def test_resume_and_overwrite_exclude_each_other(train, capsys):
    with pytest.raises(SystemExit):
        train('--resume', '--overwrite')
    assert 'exclude each other' in capsys.readouterr().err


def test_dataloader_settings(tool, config):
    module = tool('train.py')

    def merged(*arguments):
        args = module.parse_args([str(config), *arguments])
        cfg = module.cli.load_config(args)
        module.merge_args(cfg, args)
        return cfg

    cfg = merged()
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert cfg[name].collate_fn == dict(type='default_collate')
        assert cfg[name].persistent_workers is False  # there are no workers
        assert cfg[name].pin_memory == torch.cuda.is_available()
    option = ['--cfg-options', 'train_dataloader.num_workers=2']
    assert merged(*option).train_dataloader.persistent_workers is True
    off = merged('--no-persistent-workers', '--no-pin-memory', *option)
    assert off.train_dataloader.persistent_workers is False
    assert off.train_dataloader.pin_memory is False
    # What the config says stays.
    own = ['--cfg-options', 'train_dataloader.collate_fn.type=pseudo_collate']
    assert merged(*own).train_dataloader.collate_fn.type == 'pseudo_collate'
