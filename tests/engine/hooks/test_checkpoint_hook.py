"""Checkpoints are whole, and there is always one."""

import errno
import os
from pathlib import Path

import pytest
import torch
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook

from mmscpnet.utils.checkpoint import damage, read_checkpoint

FULL = OSError(errno.ENOSPC, 'No space left on device')


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


class Watch(Hook):
    """After each move: which checkpoints there are, and are they whole?"""

    def __init__(self, folder, monkeypatch):
        self.folder, self.seen = folder, []
        move = os.replace

        def replace(source, target):
            move(source, target)
            assert all(damage(path) is None for path in folder.glob('*.pth'))
            self.seen.append((Path(target).name, names(folder)))

        monkeypatch.setattr(os, 'replace', replace)


def test_there_is_always_one(make_runner, tmp_path, monkeypatch):
    """With one to be kept, the former one goes when the next is whole."""
    folder = tmp_path / 'work'
    watch = Watch(folder, monkeypatch)
    runner = make_runner(
        scores=[1.0, 2.0, 0.0],
        epochs=3,
        checkpoint=dict(max_keep_ckpts=1, save_best='toy/score', rule='greater'),
    )
    runner.train()
    best = [f'best_toy_score_epoch_{i}.pth' for i in (1, 2)]
    epoch = [f'epoch_{i}.pth' for i in (1, 2, 3)]
    pointer = 'last_checkpoint'
    assert (
        watch.seen
        == [
            (epoch[0], [epoch[0]]),
            (pointer, [epoch[0]]),
            (best[0], [best[0], epoch[0]]),
            (epoch[0], [best[0], epoch[0]]),  # again, as it must know the best one
            (pointer, [best[0], epoch[0]]),
            (epoch[1], [best[0], *epoch[:2]]),
            (pointer, [best[0], *epoch[:2]]),
            (best[1], [*best, epoch[1]]),  # the former best one is still there
            (epoch[1], [best[1], epoch[1]]),
            (pointer, [best[1], epoch[1]]),
            (epoch[2], [best[1], *epoch[1:]]),
            (pointer, [best[1], *epoch[1:]]),
        ]
    )
    assert names(folder) == [best[1], epoch[2]]
    assert (folder / pointer).read_text() == str(folder / epoch[2])


def fill_disk(monkeypatch, name):
    """From here on files of that name take half of what is written."""
    put = LocalBackend.put

    def full(self, content, path):
        if name in Path(path).name:
            Path(path).write_bytes(content[: len(content) // 2])
            raise FULL
        put(self, content, path)

    monkeypatch.setattr(LocalBackend, 'put', full)


@pytest.mark.parametrize('name', ['epoch_2', 'best_toy_score_epoch_2'])
def test_full_disk(make_runner, tmp_path, monkeypatch, name):
    folder = tmp_path / 'work'
    fill_disk(monkeypatch, name)
    options = dict(max_keep_ckpts=1, save_best='toy/score', rule='greater')
    runner = make_runner(scores=[1.0, 2.0], checkpoint=options)
    with pytest.raises(OSError, match=f'{name}.*No space left.*before are whole') as e:
        runner.train()
    assert e.value.errno == errno.ENOSPC
    assert 'best_toy_score_epoch_1.pth' in names(folder)
    assert ('epoch_1.pth' in names(folder)) == (name == 'epoch_2')
    assert all(damage(path) is None for path in folder.glob('*.pth'))
    assert not list(folder.glob('.*'))
    assert Path((folder / 'last_checkpoint').read_text()).is_file()


def test_full_disk_for_the_pointer(make_runner, tmp_path, monkeypatch):
    runner = make_runner(epochs=2)
    write = Path.write_text

    def full(self, text, *args, **kwargs):
        if 'last_checkpoint' in self.name and 'epoch_2' in text:
            raise FULL
        return write(self, text, *args, **kwargs)

    monkeypatch.setattr(Path, 'write_text', full)
    with pytest.raises(OSError, match='last_checkpoint could not be written'):
        runner.train()
    folder = tmp_path / 'work'
    assert (folder / 'last_checkpoint').read_text() == str(folder / 'epoch_1.pth')


@pytest.mark.parametrize('optimizer', ['SGD', 'Adam'])
def test_no_room_for_a_checkpoint(make_runner, tmp_path, monkeypatch, optimizer):
    """Weights, their averages and the optimiser's state, in 32 bits each."""
    hooks = [dict(type='ModelEMAHook', monitor='toy/score', decay=0.9)]
    wrapper = dict(optimizer=dict(type=optimizer, lr=0.1))
    runner = make_runner(hooks=hooks, optim_wrapper=wrapper, epochs=1)
    parameters = sum(p.nbytes for p in runner.model.parameters())
    others = sum(b.nbytes for b in runner.model.buffers())
    needed = 2 * (parameters + others) + 8  # a byte for each of eight images
    needed += 2 * parameters if optimizer == 'Adam' else 0
    usage = type('Usage', (), dict(free=needed - 1))
    monkeypatch.setattr('shutil.disk_usage', lambda folder: usage)
    with pytest.raises(OSError, match='has 0.000 GB left.*--work-dir') as error:
        runner.train()
    assert runner.iter == 0 and error.value.errno == errno.ENOSPC
    usage.free += 1
    make_runner(hooks=hooks, optim_wrapper=wrapper, epochs=1).train()
    saved = read_checkpoint(tmp_path / 'work' / 'epoch_1.pth')
    tensors = []

    def collect(value):
        if torch.is_tensor(value):
            tensors.append(value)
        elif isinstance(value, (dict, list)):
            children = value.values() if isinstance(value, dict) else value
            for child in children:
                collect(child)

    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        collect(saved[part])
    # The estimate is right but for single numbers (steps) and what is derived.
    assert sum(t.nbytes for t in tensors) == pytest.approx(needed, abs=60)


def test_what_a_killed_run_left_is_tidied_up(make_runner, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    (folder / '.epoch_1.pth.partial').write_bytes(b'half')
    (folder / '.mine').touch()
    make_runner(epochs=1).train()
    assert sorted(path.name for path in folder.glob('.*')) == ['.mine']


def test_removals_that_were_cut_off_are_made_up_for(make_runner, tmp_path):
    """A checkpoint names those to be removed when it is written."""
    options = dict(max_keep_ckpts=1)
    make_runner(epochs=2, checkpoint=options).train()
    folder = tmp_path / 'work'
    saved = read_checkpoint(folder / 'epoch_2.pth')
    assert saved['message_hub']['runtime_info']['keep_ckpt_ids'] == [1, 2]
    (folder / 'epoch_1.pth').touch()
    path = str(folder / 'epoch_2.pth')
    make_runner(epochs=2, checkpoint=options, resume=True, load_from=path).train()
    assert names(folder) == ['epoch_2.pth']


def test_resumed_in_another_folder(make_runner, tmp_path):
    """The files of the first run stay; weights without optimiser are warned of."""
    options = dict(max_keep_ckpts=1, save_best='toy/score', rule='greater')
    scheduler = dict(type='MultiStepLR', milestones=[9])
    first, second = tmp_path / 'first', tmp_path / 'second'

    def make(scores, folder, **kwargs):
        return make_runner(
            scores=scores,
            epochs=len(scores),
            checkpoint=dict(options),
            param_scheduler=dict(scheduler),
            work_dir=folder,
            **kwargs,
        )

    make([1.0], first).train()
    before = names(first)
    assert before == ['best_toy_score_epoch_1.pth', 'epoch_1.pth']
    for source in reversed(before):
        runner = make(
            [2.0, 3.0], second / source, resume=True, load_from=str(first / source)
        )
        runner.train()
        assert names(first) == before
        assert names(second / source) == ['best_toy_score_epoch_2.pth', 'epoch_2.pth']
        log = next((second / source).glob('*/*.log')).read_text()
        told = 'has no optimizer and no param_schedulers' in log
        assert told == source.startswith('best')


def test_gradients_are_saved_only_if_some_wait(make_runner, tmp_path):
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2)
    by_iter = dict(by_epoch=False, interval=1)
    runner = make_runner(optim_wrapper=wrapper, checkpoint=by_iter)
    runner.train()
    first, second = (
        read_checkpoint(tmp_path / 'work' / f'iter_{i}.pth') for i in (1, 2)
    )
    assert 'pending_gradients' not in second
    parameters = {name for name, _ in runner.model.named_parameters()}
    assert first['pending_gradients'].keys() == parameters
    assert all(torch.is_tensor(g) for g in first['pending_gradients'].values())
