"""``tools/benchmarks/run_grid.py``: measured once, resumed, nothing lost."""

import json
import threading
import time

import numpy as np
import pytest

from mmscpnet.benchmarks import Launch, load_grid, make_jobs, run_jobs
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
    dict(name='B', config='config.py', options={{'model.head.loss.type': {second!r}}}),
]
"""
    )
    return str(path)


@pytest.fixture
def run_grid(tool):
    return tool('benchmarks/run_grid.py').main


def test_grid(run_grid, folder, capfd):
    work_dir = folder / 'work'
    to = ['--work-dir', str(work_dir), '--jobs', '2']
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
    assert run_grid([write_grid(folder), *to]) == 0
    assert first.stat().st_mtime_ns == written  # measured once
    table = (work_dir / 'table.md').read_text()
    assert f'| A | {result["chosen"]:.1f} (1) | 12.5 |' in table
    # The same method, seed and data: no difference at all.
    assert '| B | mAP | +0.00 | +0.00 … +0.00 | +0.00 |' in table
    assert len(json.loads((work_dir / 'results.json').read_text())) == 2
    assert all((work_dir / f'{n}.png').stat().st_size for n in ('bars', 'curves'))

    with pytest.raises(ValueError, match="holds the grid 'Tiny'"):
        run_grid([write_grid(folder, title='Other'), *to])
    with pytest.raises(ValueError, match='1 finished runs .*B/mAP/seed0'):
        run_grid([write_grid(folder, second='SPLCLoss'), *to])
    with pytest.raises(ValueError, match=r"no row \['C'\]"):
        run_grid([write_grid(folder), *to, '--rows', 'C'])


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
