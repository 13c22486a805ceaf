"""Tables of results: grids of runs, their execution, statistics and reports."""

from .execute import run_jobs
from .grid import Cell, Grid, cell_config, config_hash, load_grid
from .jobs import Job, Launch, command_of, make_jobs, measured_seeds
from .report import write_report
from .statistics import (
    PairedDifference,
    bootstrap_map,
    paired_difference,
    resampled,
)

__all__ = [
    'Cell',
    'Grid',
    'Job',
    'Launch',
    'PairedDifference',
    'bootstrap_map',
    'cell_config',
    'command_of',
    'config_hash',
    'load_grid',
    'make_jobs',
    'measured_seeds',
    'paired_difference',
    'resampled',
    'run_jobs',
    'write_report',
]
