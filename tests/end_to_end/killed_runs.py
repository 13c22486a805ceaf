"""Train, be killed again and again, and go on each time: a program for a test.

``python -m tests.end_to_end.killed_runs CONFIG FOLDER SEED``. Imports take longer than
the training, so this process does them once and forks one for each start.
"""

import os
import random
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

import torch
from mmengine.fileio import LocalBackend
from yapf.yapflib import yapf_api

from mmscpnet.engine import ResumableTrainLoop
from mmscpnet.models.classifiers import SCPNet
from tests.shared import ROOT

EPOCHS, INTERVAL = 6, 2
OPTIONS = [
    f'train_cfg.max_epochs={EPOCHS}',
    f'default_hooks.checkpoint.interval={INTERVAL}',
    'default_hooks.checkpoint.max_keep_ckpts=2',
]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def call_at(owner, name: str, count: int, action) -> None:
    """Replace a function: its ``count``-th call is the action's."""
    original = getattr(owner, name)
    calls = iter(range(1, 10**9))

    def replacement(*args, **kwargs):
        if next(calls) == count:
            return action(original, *args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, replacement)


def at_any_time(rng) -> None:
    """Within the first iterations, at any instruction; or in what follows them."""
    delay = rng.uniform(0, 0.3)

    def start(original, *args, **kwargs):
        threading.Thread(target=lambda: (time.sleep(delay), die()), daemon=True).start()
        return original(*args, **kwargs)

    call_at(ResumableTrainLoop, 'run_iter', rng.randint(1, 2), start)
    call_at(ResumableTrainLoop, 'run_iter', 4, lambda *args: die())


def in_a_file(rng) -> None:
    """With a random part of a checkpoint written."""
    part = rng.random()

    def write(original, backend, content, path):
        with open(path, 'wb') as file:
            file.write(content[: int(part * len(content))])
        die()

    call_at(LocalBackend, 'put', 1, write)


def before_a_move(rng) -> None:
    """A checkpoint, or ``last_checkpoint``, is whole but has not got its name."""
    call_at(os, 'replace', rng.randint(1, 2), lambda *args: die())


def after_a_move(rng) -> None:
    """A checkpoint has got its name, and nothing else knows of it."""
    call_at(os, 'replace', 1, lambda move, *args: (move(*args), die()))


def in_validation(rng) -> None:
    """Before the metrics of an epoch are known."""
    call_at(SCPNet, 'predict', rng.randint(1, 4), lambda *args, **kwargs: die())


def start(config: Path, work_dir: Path, arguments: list, prepare=None) -> int:
    """Run ``tools/train.py`` in a process of its own; returns its wait status."""
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1]
    log = os.open(work_dir.parent / 'log.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if prepare is not None:
        prepare()
    sys.argv = ['train.py', str(config), '--work-dir', str(work_dir), *arguments]
    code = 1
    try:
        runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
        code = 0
    finally:
        os._exit(code)


def main(config: str, folder: str, seed: str) -> None:
    torch.set_num_threads(1)
    yapf_api.FormatCode = lambda text, **kwargs: (text, False)
    folder, rng = Path(folder), random.Random(int(seed))
    whole, parts = folder / 'whole', folder / 'parts'
    if start(config, whole, ['--cfg-options', *OPTIONS]):
        raise RuntimeError('the uninterrupted run failed')

    ways = [at_any_time] * 5 + [in_a_file, in_a_file, before_a_move, after_a_move]
    ways.append(in_validation)
    rng.shuffle(ways)
    for number, way in enumerate(ways):
        workers = f'train_dataloader.num_workers={2 * (number % 2)}'
        status = start(
            config,
            parts,
            ['--resume', '--cfg-options', *OPTIONS, workers],
            lambda way=way: way(rng),
        )
        rng.random()
        last = parts / 'last_checkpoint'
        at = Path(last.read_text()).stem if last.is_file() else 'the start'
        print(f'{way.__name__}, {workers}: now at {at}', flush=True)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            raise RuntimeError(f'the run ended by itself: status {status}')
    if start(config, parts, ['--resume', '--cfg-options', *OPTIONS]):
        raise RuntimeError('the last start failed')


if __name__ == '__main__':
    main(*sys.argv[1:])
