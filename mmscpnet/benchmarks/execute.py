"""Run the cells of a grid, each in its own process, and keep what comes out."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

from mmengine.config import Config
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mmscpnet.evaluation.results_file import write_results

from .grid import Grid
from .jobs import ERROR, RESULT, Job, Launch, command_of, grid_mark
from .processes import ForkedProcesses, NewProcesses, can_fork
from .record import add_to_spent, collect, error_line, provenance, spent_on


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
        write_results(str(mark), grid_mark(grid))
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
        **spent_on(job),
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
    # Else it would be the memory of srun.
    known = memory if launch.launcher != 'slurm' else None
    add_to_spent(job, time.time() - started, known)
    if code == 0:
        try:
            return collect(job, grid.metric)
        except (OSError, KeyError, ValueError) as unread:
            error = f'its results cannot be read: {type(unread).__name__}: {unread}'
    with open(log, 'ab+') as file:
        file.seek(start_of_log)
        tail = file.read().decode(errors='replace').splitlines()[-30:]
    error = error or error_line(tail) or f'exit code {code}'
    return dict(error=error, exit_code=code, log=tail)


def _describe(job: Job, record: dict, metric: str) -> str:
    if 'error' in record:
        return f'{job.cell.name}: FAILED, {record["error"]}'
    return (
        f'{job.cell.name}: {metric} {record["chosen"]:.2f} ({record["seconds"]:.0f} s)'
    )
