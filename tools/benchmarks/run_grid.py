"""Run a grid of trainings and write its tables: ``run_grid.py GRID.py``."""

import argparse
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Train every cell of a grid (rows x columns x seeds), each in its '
        'own process, and write results.json, table.md and pictures. Started again it '
        'goes on: what is finished is never run again.'
    )
    parser.add_argument('grid', help='path of the grid file')
    parser.add_argument('--seeds', type=int, help='number of seeds (default: the file)')
    parser.add_argument(
        '--work-dir', help='folder of the runs (default: work_dirs/<grid file>)'
    )
    parser.add_argument(
        '--jobs', type=int, default=1, help='runs at the same time (default: 1)'
    )
    parser.add_argument(
        '--rows', nargs='+', help='run these rows only; the report has all'
    )
    parser.add_argument(
        '--reference', help='row to compare the others with (default: the file)'
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='print what would run, and stop'
    )
    parser.add_argument(
        '--report-only', action='store_true', help='run nothing, write the report'
    )
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm'], default='none'
    )
    parser.add_argument('--gpus', type=int, default=1, help='of a run, for a launcher')
    parser.add_argument('--partition', help='for --launcher slurm')
    args = parser.parse_args(argv)
    if args.jobs < 1:
        parser.error(f'--jobs must be 1 or more, found {args.jobs}')
    if (args.launcher == 'slurm') != (args.partition is not None):
        parser.error('--launcher slurm and --partition belong together')
    return args


def print_plan(jobs, launch, console: Console) -> None:
    from mmscpnet.benchmarks import command_of

    table = Table('run', 'status', 'config', 'options')
    for job in jobs:
        options = ' '.join(f'{k}={v}' for k, v in job.cell.options.items())
        table.add_row(job.cell.name, job.status, job.cell.config.name, options)
    console.print(table)
    todo = [job for job in jobs if not job.finished]
    for job in todo:
        # not wrapped, to be copied
        print(shlex.join(command_of(job, launch)))
    console.print(f'{len(todo)} of {len(jobs)} runs to do.')


def main(argv=None) -> int:
    args = parse_args(argv)
    from mmscpnet.benchmarks import (
        Launch,
        load_grid,
        make_jobs,
        measured_seeds,
        run_jobs,
        write_report,
    )
    from mmscpnet.utils.termination import unwind_when_terminated

    console = Console()
    grid = load_grid(args.grid, args.seeds, args.reference)
    work_dir = Path(args.work_dir or Path('work_dirs') / Path(args.grid).stem)
    jobs = make_jobs(grid, work_dir)
    if args.report_only and not any(job.finished for job in jobs):
        raise ValueError(
            f'--report-only: {str(work_dir)!r} has no finished run of {args.grid}'
        )
    threads = None
    if args.jobs > 1 and 'OMP_NUM_THREADS' not in os.environ:
        threads = max(1, (os.cpu_count() or 1) // args.jobs)
    launch = Launch(args.launcher, args.gpus, args.partition, threads)
    chosen = jobs
    if args.rows is not None:
        unknown = sorted({*args.rows} - {*grid.rows})
        if unknown:
            raise ValueError(f'--rows: there is no row {unknown}; rows: {grid.rows}')
        chosen = [job for job in jobs if job.cell.row in args.rows]
    if args.dry_run:
        print_plan(chosen, launch, console)
        return 0
    failed = []
    if not args.report_only:
        with unwind_when_terminated():  # which stops the runs
            failed = run_jobs(chosen, grid, work_dir, args.jobs, launch)
    # What was measured stays in the report, whatever --seeds says.
    measured = measured_seeds(work_dir)
    if measured > max(job.cell.seed for job in jobs) + 1:
        grid = load_grid(args.grid, measured, args.reference)
        jobs = make_jobs(grid, work_dir)
    for path in write_report(grid, jobs, work_dir):
        console.print(f'written: {path}')
    if failed:
        console.print(f'{len(failed)} runs failed; started again, they are tried again')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
