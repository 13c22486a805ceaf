"""Killed at ten random moments, a run still ends like one that was left in peace."""

import os
import random
import subprocess
import sys

from tests.end_to_end.killed_runs import EPOCHS
from tests.end_to_end.tiny_run import assert_same_end, write_tiny_run
from tests.shared import ROOT


def test_ten_kills(tmp_path):
    config = write_tiny_run(tmp_path)
    seed = random.SystemRandom().randrange(10**6)
    done = subprocess.run(
        [sys.executable, '-m', 'tests.end_to_end.killed_runs']
        + [str(config), str(tmp_path), str(seed)],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
    )
    story = f'seed {seed}\n{done.stdout}'
    log = (tmp_path / 'log.txt').read_text()
    assert done.returncode == 0, story + done.stderr + log[-3000:]
    assert done.stdout.count('now at') == 10, story
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    last = f'iter_{4 * EPOCHS}.pth'
    assert_same_end(whole / last, parts / last)
    # Nothing is missing, and nothing is left over.
    names = [sorted(p.name for p in folder.glob('*.pth')) for folder in (whole, parts)]
    assert names[0] == names[1], story
    assert not list(parts.glob('.*')), story
    (best,) = (name for name in names[0] if name.startswith('best'))
    assert_same_end(whole / best, parts / best)
