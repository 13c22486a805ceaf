"""The runs of a grid: where each is kept, and the command that trains it."""

import json
import sys
from pathlib import Path
from typing import NamedTuple, Optional

from mmengine.config import Config

from .grid import Cell, Grid, cell_config, config_hash

_PACKAGE = Path(__file__).resolve().parents[1]
TOOLS = _PACKAGE.parent / 'tools'
if not (TOOLS / 'train.py').is_file():
    TOOLS = _PACKAGE / '.mim' / 'tools'  # no checkout: installed
RESULT = 'result.json'
ERROR = 'error.json'


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
        if former != grid_mark(grid):
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


def measured_seeds(work_dir: Path) -> int:
    """Number of seeds 0, 1, ... that the finished runs of a folder reach to."""
    files = work_dir.glob(f'runs/*/*/seed*/{RESULT}')
    return max((1 + int(f.parent.name.removeprefix('seed')) for f in files), default=0)


def grid_mark(grid: Grid) -> dict[str, str]:
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
