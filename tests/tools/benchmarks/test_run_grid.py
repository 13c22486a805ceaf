"""``tools/benchmarks/run_grid.py``: measured once, resumed, nothing lost."""

import json
import shutil
import signal
import threading
import time
from contextlib import nullcontext
from queue import SimpleQueue

import numpy as np
import pytest

from mmscpnet.benchmarks import (
    Launch,
    cell_config,
    config_hash,
    load_grid,
    make_jobs,
    run_jobs,
)
from tests.shrunken_configs import shrink

CONFIG = 'baselines/linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('grid')
    config = shrink(CONFIG, folder)
    config.pop('work_dir')
    config.dump(folder / 'config.py')
    return folder


def write_grid(folder, title='Tiny', second='AssumeNegativeLoss'):
    path = folder / 'grid.py'
    path.write_text(
        f"""title = {title!r}
reference = 'A'
seeds = 1
rows = [
    dict(name='A', config='config.py', published=dict(mAP=12.5)),
    dict(
        name='B',
        config='config.py',
        options={{
            'model.head.loss.type': {second!r},
            'default_hooks.logger.interval': 7,
        }},
    ),
]
"""
    )
    return str(path)


@pytest.fixture
def run_grid(tool):
    return tool('benchmarks/run_grid.py').main


def test_grid(run_grid, folder, capfd):
    work_dir = folder / 'work'
    # One after the other, so forked; below, where one is left, in a new process.
    to = ['--work-dir', str(work_dir)]
    broken = write_grid(folder, second='NoSuchLoss')
    assert run_grid([broken, *to, '--dry-run']) == 0
    assert not work_dir.exists()
    assert '2 of 2 runs to do' in capfd.readouterr().out

    assert run_grid([broken, *to]) == 1  # B fails, A goes on
    error = json.loads((work_dir / 'runs/B/mAP/seed0/error.json').read_text())
    assert 'NoSuchLoss' in error['error']
    first = work_dir / 'runs/A/mAP/seed0/result.json'
    result = json.loads(first.read_text())
    assert result['chosen_on'] == 'validation' and result['seconds'] > 0
    assert {*result['test']} == {'best_ema', 'best_plain', 'last_ema', 'last_plain'}
    assert result['chosen'] == result['test'][f'best_{result["best_model"]}']
    # One epoch: the best weights are the last ones.
    assert result['test']['best_plain'] == result['test']['last_plain']
    assert len(result['validation']) == 1 and {'ema', 'plain'} < {
        *result['validation'][0]
    }
    with np.load(work_dir / 'runs/A/mAP/seed0/report/test_scores.npz') as scores:
        assert scores['scores'].shape == scores['targets'].shape == (10, 74)
    assert 'Failed: B/mAP/seed0' in (work_dir / 'table.md').read_text()

    written = first.stat().st_mtime_ns
    handler = signal.getsignal(signal.SIGTERM)
    assert run_grid([write_grid(folder), *to]) == 0
    assert signal.getsignal(signal.SIGTERM) == handler
    assert first.stat().st_mtime_ns == written  # measured once
    table = (work_dir / 'table.md').read_text()
    assert f'| A | {result["chosen"]:.1f} (1) | 12.5 |' in table
    # The same method, seed and data: no difference at all.
    assert '| B | mAP | +0.00 | +0.00 … +0.00 | +0.00 |' in table
    assert len(json.loads((work_dir / 'results.json').read_text())) == 2
    assert all((work_dir / f'{n}.png').stat().st_size for n in ('bars', 'curves'))

    with pytest.raises(ValueError, match="holds the grid 'Tiny'"):
        run_grid([write_grid(folder, title='Other'), *to])
    other = shutil.copy(write_grid(folder), folder / 'other.py')
    with pytest.raises(
        ValueError, match="holds the grid 'Tiny' of grid.py, but .*other"
    ):
        run_grid([str(other), *to])
    with pytest.raises(ValueError, match='1 finished runs .*B/mAP/seed0'):
        run_grid([write_grid(folder, second='SPLCLoss'), *to])
    with pytest.raises(ValueError, match=r"no row \['C'\]"):
        run_grid([write_grid(folder), *to, '--rows', 'C'])


class Stub:
    """In place of a process: what a run leaves behind, by the row of the cell."""

    def __init__(self, *attempts):
        self.attempts = list(attempts)

    def run(self, command, log, stop):
        attempt = self.attempts.pop(0)
        with log.open('a') as file:
            file.write(attempt.get('log', ''))
        time.sleep(0.1)  # seconds are recorded to a tenth
        if 'error' in attempt:
            raise RuntimeError(attempt['error'])
        if 'scalars' in attempt:
            for path, text in [
                ('report/test.json', attempt.get('test', GOOD_TEST)),
                ('run/1/vis_data/scalars.json', attempt['scalars']),
            ]:
                (log.parent / path).parent.mkdir(parents=True, exist_ok=True)
                (log.parent / path).write_text(text)
            scores = np.arange(6.0).reshape(3, 2)
            file = log.parent / 'report' / 'test_scores.npz'
            np.savez(file, scores=scores, targets=np.eye(3, 2))
        return attempt.get('code', 0), attempt.get('memory', 1.0)


GOOD_TEST = json.dumps({n: {'multi-label/mAP': 60.0} for n in ('chosen', 'last')})
SCALARS = json.dumps({'multi-label/mAP': 50.0, 'step': 1}) + '\n'


@pytest.fixture
def attempt(folder, tmp_path, monkeypatch):
    """Run the grid with what its two runs shall do; the records of both."""

    def run(*attempts, launcher='none'):
        queue = SimpleQueue()
        queue.put(Stub(*attempts))
        monkeypatch.setattr(
            'mmscpnet.benchmarks.execute._processes', lambda *_: nullcontext(queue)
        )
        grid = load_grid(write_grid(folder))
        jobs = make_jobs(grid, tmp_path)
        failed = run_jobs(jobs, grid, tmp_path, 1, Launch(launcher, partition='gpu'))
        records = []
        for job in jobs:
            name = 'result.json' if job.finished else 'error.json'
            records.append(json.loads((job.folder / name).read_text()))
        assert [job in failed for job in jobs] == ['error' in r for r in records]
        return records

    return run


def test_a_cell_that_fails_leaves_the_rest_alone(attempt):
    dead = 'the process that forks the runs has ended'
    broken, good = attempt(dict(error=dead), dict(scalars=SCALARS))
    assert broken['error'] == dead and good['chosen'] == 60.0

    (unread,) = attempt(dict(scalars=SCALARS, test='{}'))[:1]
    assert unread['error'] == "its results cannot be read: KeyError: 'chosen'"
    assert unread['exit_code'] == 0

    whole, _ = attempt(dict(scalars=SCALARS + '{"multi-label/mA'))
    # The line that a killed process left unfinished is none.
    assert whole['validation'] == [dict(epoch=1, plain=50.0)]


def test_attempts_add_up_and_errors_are_their_own(attempt):
    first = attempt(
        dict(log='ValueError: wrong\n', code=1, memory=400.0), dict(scalars=SCALARS)
    )[0]
    assert (first['error'], first['exit_code']) == ('ValueError: wrong', 1)
    second = attempt(dict(code=-9, memory=900.0))[0]
    assert (second['error'], second['exit_code']) == ('exit code -9', -9)
    assert second['log'] == [] and second['seconds'] >= first['seconds']
    third = attempt(dict(scalars=SCALARS, memory=500.0))[0]
    memory = [record['peak_memory_mib'] for record in (first, second, third)]
    assert memory == [400.0, 900.0, 900.0] and third['seconds'] > first['seconds']


def test_memory_of_srun_is_not_that_of_the_run(attempt, run_grid, folder, tmp_path):
    records = attempt(dict(scalars=SCALARS), dict(scalars=SCALARS), launcher='slurm')
    assert [record['peak_memory_mib'] for record in records] == [None, None]
    run_grid([str(folder / 'grid.py'), '--work-dir', str(tmp_path), '--report-only'])
    assert 'MiB' in (tmp_path / 'table.md').read_text()


def test_report(run_grid, folder, attempt, tmp_path):
    grid = write_grid(folder)
    options = [grid, '--work-dir', str(tmp_path), '--report-only']
    with pytest.raises(ValueError, match='has no finished run'):
        run_grid(options)
    assert not list(tmp_path.iterdir())
    attempt(dict(scalars=SCALARS), dict(code=1))
    run = tmp_path / 'runs/A/mAP/seed0'
    more = tmp_path / 'runs/A/mAP/seed1'
    shutil.copytree(run, more)
    config = cell_config(load_grid(grid, 2).cells[1])
    record = json.loads((run / 'result.json').read_text())
    record.update(seed=1, config_hash=config_hash(config))
    (more / 'result.json').write_text(json.dumps(record))
    run_grid([*options, '--seeds', '1'])
    # What was measured with more seeds stays.
    found = json.loads((tmp_path / 'results.json').read_text())
    assert [r['seed'] for r in found] == [0, 1]
    assert '| A | 60.0 ± 0.0 | 12.5 |' in (tmp_path / 'table.md').read_text()
    run_grid([*options, '--seeds', '3'])
    assert '| A | 60.0 ± 0.0 (2) | 12.5 |' in (tmp_path / 'table.md').read_text()


def test_reference_of_the_command_line(run_grid, folder, attempt, tmp_path):
    attempt(dict(scalars=SCALARS), dict(scalars=SCALARS))
    options = [str(folder / 'grid.py'), '--work-dir', str(tmp_path), '--report-only']
    run_grid(options)
    assert '### Against A\n' in (tmp_path / 'table.md').read_text()
    run_grid([*options, '--reference', 'B'])
    assert '### Against B\n' in (tmp_path / 'table.md').read_text()
    with pytest.raises(ValueError, match=r"'C' is not a row; there are \['A', 'B'\]"):
        run_grid([*options, '--reference', 'C'])


def test_foreign_folder_is_refused(run_grid, folder, tmp_path):
    (tmp_path / 'thesis.txt').write_text('mine')
    with pytest.raises(ValueError, match='holds no grid'):
        run_grid([write_grid(folder), '--work-dir', str(tmp_path)])


def test_interruption_stops_the_runs(folder, tmp_path, monkeypatch):
    jobs = make_jobs(grid := load_grid(write_grid(folder)), tmp_path)

    def interrupt(*args, **kwargs):
        time.sleep(1)
        raise KeyboardInterrupt

    monkeypatch.setattr('mmscpnet.benchmarks.execute.wait', interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, grid, tmp_path, 1, Launch(threads=1))
    # The pool has waited for the run it stopped.
    assert not [t for t in threading.enumerate() if 'ThreadPool' in t.name]
    assert [job.status for job in jobs] == ['interrupted', 'to do'] or not any(
        job.finished for job in jobs
    )
    assert not list(tmp_path.rglob('error.json'))


@pytest.mark.parametrize(
    'options, start',
    [
        (['--launcher', 'pytorch', '--gpus', '4'], 'dist_train.sh {config} 4'),
        (
            ['--launcher', 'slurm', '--partition', 'gpu'],
            'slurm_train.sh gpu A.mAP.seed0 {config} {run}',
        ),
    ],
)
def test_launchers(run_grid, folder, tmp_path, capfd, options, start):
    work_dir = tmp_path / 'work'
    args = [write_grid(folder), '--work-dir', str(work_dir), '--dry-run', *options]
    assert run_grid(args) == 0
    cell = work_dir / 'runs/A/mAP/seed0'
    expected = start.format(config=cell / 'config.py', run=cell / 'run')
    assert expected in capfd.readouterr().out


def test_options_that_do_not_fit(run_grid, capsys):
    with pytest.raises(SystemExit):
        run_grid(['grid.py', '--launcher', 'slurm'])
    with pytest.raises(SystemExit):
        run_grid(['grid.py', '--jobs', '0'])
    assert '--jobs must be 1 or more' in capsys.readouterr().err
