"""Run the cells of a grid, each in its own process, and keep what comes out."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any, NamedTuple, Optional

from mmengine.config import Config
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mmscpnet.evaluation.results_file import write_bytes, write_results
from mmscpnet.version import __version__

from .curves import read_entries
from .grid import Cell, Grid, cell_config, config_hash
from .processes import ForkedProcesses, NewProcesses, can_fork

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
RESULT = 'result.json'
ERROR = 'error.json'
SPENT = 'spent.json'
PACKAGES = (
    'torch',
    'numpy',
    'onedl-mmengine',
    'onedl-mmcv',
    'onedl-mmpretrain',
    'mmengine',
    'mmcv-lite',
    'mmcv',
    'mmpretrain',
    'open_clip_torch',
    'timm',
    'transformers',
)


class Launch(NamedTuple):
    """How a run is started.

    Attributes:
        launcher: ``'none'``, ``'pytorch'`` or ``'slurm'``, as for ``tools/train.py``.
        gpus: of a run, for the launchers.
        partition: for Slurm.
        threads: CPU threads of a run; None leaves it to torch.
    """

    launcher: str = 'none'
    gpus: int = 1
    partition: Optional[str] = None
    threads: Optional[int] = None


class Job(NamedTuple):
    """A cell and what is needed to run it.

    Attributes:
        cell: of the grid.
        folder: of the run.
        config: as it will be run.
        hash: of the config.
    """

    cell: Cell
    folder: Path
    config: Config
    hash: str

    @property
    def finished(self) -> bool:
        """Whether it has been measured."""
        return (self.folder / RESULT).is_file()

    @property
    def status(self) -> str:
        """``'done'``, ``'failed'``, ``'interrupted'`` or ``'to do'``."""
        if self.finished:
            return 'done'
        if (self.folder / ERROR).is_file():
            return 'failed'
        return 'interrupted' if (self.folder / 'run').is_dir() else 'to do'


def make_jobs(grid: Grid, work_dir: Path) -> list[Job]:
    """Configs of all cells; refuses a folder that holds something else.

    Raises:
        ValueError: ``work_dir`` is that of another grid, or a finished cell was
            measured with another config.
    """
    mark = work_dir / 'grid.json'
    if mark.is_file():
        former = json.loads(mark.read_text())
        if former != _mark(grid):
            raise ValueError(
                f'--work-dir {str(work_dir)!r} holds the grid {former["title"]!r} of '
                f'{former["file"]}, but {grid.path} is {grid.title!r}. Choose another '
                '--work-dir'
            )
    elif work_dir.is_dir() and any(work_dir.iterdir()):
        raise ValueError(
            f'--work-dir {str(work_dir)!r} is not empty and holds no grid. Choose '
            'another --work-dir'
        )
    jobs, changed = [], []
    for cell in grid.cells:
        config = cell_config(cell, grid.epochs)
        folder = work_dir / 'runs' / cell.name
        job = Job(cell, folder, config, config_hash(config))
        if job.finished:
            stored = json.loads((folder / RESULT).read_text())
            if stored['config_hash'] != job.hash:
                changed.append(cell.name)
        jobs.append(job)
    if changed:
        raise ValueError(
            f'{len(changed)} finished runs in {str(work_dir)!r} were measured with '
            f'other settings than {grid.path} has now: {", ".join(changed[:5])}'
            f'{", ..." if len(changed) > 5 else ""}. Choose another --work-dir, or '
            'move these folders away to have them measured again'
        )
    return jobs


def _mark(grid: Grid) -> dict[str, str]:
    """What tells the folder of a grid from that of another."""
    return dict(title=grid.title, file=grid.path.name)


def command_of(job: Job, launch: Launch) -> list[str]:
    """The command line that trains a cell."""
    config, run = str(job.folder / 'config.py'), str(job.folder / 'run')
    if launch.launcher == 'slurm':
        name = job.cell.name.replace('/', '.')
        script = [str(TOOLS / 'slurm_train.sh'), launch.partition, name, config, run]
        return ['bash', *script, '--resume']
    if launch.launcher == 'pytorch':
        script = [str(TOOLS / 'dist_train.sh'), config, str(launch.gpus)]
        return ['bash', *script, '--work-dir', run, '--resume']
    script = [sys.executable, str(TOOLS / 'train.py'), config]
    return [*script, '--work-dir', run, '--resume']


def run_jobs(jobs: list[Job], grid: Grid, work_dir: Path, at_once: int, launch: Launch):
    """Run what is not finished, ``at_once`` cells together.

    A cell that fails is recorded with its error and the rest go on. When interrupted,
    the running cells are stopped; they go on from their last checkpoint next time.

    Returns:
        list[Job]: those that failed.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    mark = work_dir / 'grid.json'
    if not mark.is_file():
        write_results(str(mark), _mark(grid))
    todo = [job for job in jobs if not job.finished]
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    failed: list[Job] = []
    stop = Event()
    with (
        _processes(launch, min(at_once, len(todo)), len(todo)) as processes,
        Progress(*columns) as progress,
        ThreadPoolExecutor(at_once) as pool,
    ):
        task = progress.add_task(grid.title, total=len(jobs))
        progress.advance(task, len(jobs) - len(todo))
        running: dict[Future, Job] = {
            pool.submit(run_job, job, grid, launch, processes, stop): job
            for job in todo
        }
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED, timeout=1)
                for future in done:
                    job = running.pop(future)
                    result = future.result()
                    progress.advance(task)
                    progress.console.print(_describe(job, result, grid.metric))
                    if 'error' in result:
                        failed.append(job)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return failed


@contextmanager
def _processes(launch: Launch, at_once: int, total: int) -> Iterator[SimpleQueue]:
    """What runs commands, as many as run at once; closed at the end."""
    environment = {**os.environ, 'GPUS': str(launch.gpus)}
    if launch.threads is not None:
        environment.update(OMP_NUM_THREADS=str(launch.threads))
    # For one run each there is nothing to save.
    forked = launch.launcher == 'none' and total > at_once and can_fork()
    with ExitStack() as stack:
        processes: SimpleQueue = SimpleQueue()
        for _ in range(at_once):
            kind = ForkedProcesses if forked else NewProcesses
            processes.put(stack.enter_context(closing(kind(environment))))
        yield processes


def run_job(
    job: Job, grid: Grid, launch: Launch, processes: SimpleQueue, stop: Event
) -> dict[str, Any]:
    """Train one cell and write ``result.json`` or ``error.json``."""
    if stop.is_set():
        return dict(error='stopped')
    job.folder.mkdir(parents=True, exist_ok=True)
    report = job.folder / 'report'
    config = Config(job.config.to_dict())
    hooks = config.setdefault('default_hooks', {})
    hooks['test_best'] = dict(type='TestBestHook', report_dir=str(report))
    (job.folder / 'config.py').write_text(config.pretty_text)
    (job.folder / ERROR).unlink(missing_ok=True)
    for former in report.glob('test*'):
        # of an attempt that stopped before its result was written
        former.unlink()

    outcome = _attempt(job, grid, launch, processes, stop)
    if stop.is_set():
        return dict(error='stopped')
    record = dict(
        row=job.cell.row,
        column=job.cell.column,
        seed=job.cell.seed,
        config=job.cell.config.name,
        config_hash=job.hash,
        **provenance(),
        **_spent(job),
        **outcome,
    )
    write_results(str(job.folder / (ERROR if 'error' in record else RESULT)), record)
    return record


def _attempt(
    job: Job, grid: Grid, launch: Launch, processes: SimpleQueue, stop: Event
) -> dict[str, Any]:
    """Train once; the figures of the run, or ``error``, ``exit_code`` and ``log``."""
    log = job.folder / 'log.txt'
    start_of_log = log.stat().st_size if log.is_file() else 0
    started = time.time()
    code = memory = error = None
    own = processes.get()
    try:
        code, memory = own.run(command_of(job, launch), log, stop)
    except RuntimeError as ended:
        error = str(ended)
    finally:
        processes.put(own)
    spent = _spent(job)
    spent['seconds'] = round(spent['seconds'] + time.time() - started, 1)
    if memory is not None and launch.launcher != 'slurm':  # else that of srun
        spent['peak_memory_mib'] = max(spent['peak_memory_mib'] or 0.0, memory)
    text = json.dumps(spent).encode()
    write_bytes(str(job.folder / SPENT), text, overwrite=True)

    if code == 0:
        try:
            return collect(job, grid.metric)
        except (OSError, KeyError, ValueError) as unread:
            error = f'its results cannot be read: {type(unread).__name__}: {unread}'
    with open(log, 'ab+') as file:
        file.seek(start_of_log)
        tail = file.read().decode(errors='replace').splitlines()[-30:]
    error = error or _error_line(tail) or f'exit code {code}'
    return dict(error=error, exit_code=code, log=tail)


def _spent(job: Job) -> dict[str, Any]:
    """Time and memory of all attempts at a run so far."""
    path = job.folder / SPENT
    if path.is_file():
        return json.loads(path.read_text())
    return dict(seconds=0.0, peak_memory_mib=None)


def collect(job: Job, metric: str) -> dict[str, Any]:
    """Figures of a finished run, from what it has written.

    Returns:
        dict: ``chosen_on`` (``'validation'``, or ``'test'`` if both are the same
        photos), ``chosen`` (test figure of the checkpoint with the best validation),
        ``best_epoch``, ``best_model``, ``test`` (of both models at the best and at the
        last epoch), ``validation`` (``epoch``, ``ema``, ``plain`` of each epoch) and
        ``gpu_memory_mib``.
    """
    test = json.loads((job.folder / 'report' / 'test.json').read_text())
    cfg = job.config
    same = cfg.val_dataloader.dataset == cfg.test_dataloader.dataset
    figures = {
        name: values[metric]
        for name, values in test.items()
        if isinstance(values, dict) and name != 'chosen'
    }
    curve: dict[int, dict] = {}
    gpu_memory = 0
    for path in sorted((job.folder / 'run').glob('*/vis_data/scalars.json')):
        for entry in read_entries(path):
            gpu_memory = max(gpu_memory, entry.get('memory', 0))
            if f'{metric}_ema' in entry:
                curve[entry['step']] = dict(
                    ema=entry[f'{metric}_ema'], plain=entry[f'{metric}_plain']
                )
            elif metric in entry and 'step' in entry:
                curve[entry['step']] = dict(plain=entry[metric])
    return dict(
        metric=metric,
        chosen_on='test' if same else 'validation',
        chosen=test['chosen'][metric],
        best_epoch=test.get('best_epoch'),
        best_model=test.get('best_model'),
        test=figures,
        validation=[dict(epoch=e, **v) for e, v in sorted(curve.items())],
        gpu_memory_mib=gpu_memory or None,
    )


def provenance() -> dict[str, Any]:
    """Commit, versions and machine kind."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    git = subprocess.run(
        ['git', '-C', str(TOOLS), 'describe', '--always', '--dirty', '--abbrev=12'],
        capture_output=True,
        text=True,
    )
    return dict(
        commit=git.stdout.strip() or None,
        mmscpnet=__version__,
        python=platform.python_version(),
        packages=packages,
    )


def _error_line(tail: list[str]) -> Optional[str]:
    for line in reversed(tail):
        if 'Error' in line.split(':')[0]:
            return line.strip()
    return None


def _describe(job: Job, record: dict, metric: str) -> str:
    if 'error' in record:
        return f'{job.cell.name}: FAILED, {record["error"]}'
    return (
        f'{job.cell.name}: {metric} {record["chosen"]:.2f} ({record["seconds"]:.0f} s)'
    )
