"""A grid of training runs: rows (methods) x columns (settings) x seeds.

A grid file is an MMEngine config that describes a table of results::

    title = 'Losses on Corel5k-74'
    reference = 'AN'                     # what the others are compared with
    options = {'train_dataloader.num_workers': 0}                # of every run
    columns = [dict(name='10%', options={'label_ratio': 0.1})]
    rows = [
        dict(name='AN', config='../../configs/baselines/....py'),
        dict(name='SCPNet', config='....py', published={'10%': 71.2}),
    ]

``config`` of a row may also be a dict, column -> config. Variables of the file's own
begin with ``_``. Paths of configs are relative to the grid file. ``options`` are those
of ``--cfg-options``; those of the row come after those of the column, which come after
those of the grid. ``{seed}`` in a value becomes the seed of the run, as in
``'labels_{seed}.json'``; a value that is nothing else becomes a number.
"""

import copy
import functools
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple, Optional

from mmengine.config import Config

from mmscpnet.utils.cfg_options import merge_options

from .grid_source import GridSource

KEYS = {
    'title',
    'note',
    'metric',
    'reference',
    'seeds',
    'epochs',
    'options',
    'rows',
    'columns',
}
ROW_KEYS = {'name', 'config', 'options', 'columns', 'published', 'note'}
COLUMN_KEYS = {'name', 'options', 'config'}


class Cell(NamedTuple):
    """One training run.

    Attributes:
        row: name of the method.
        column: name of the setting.
        seed: of the labels and of the training.
        config: path of the config file.
        options: what is changed in it, dotted keys.
    """

    row: str
    column: str
    seed: int
    config: Path
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of its folder, such as ``SPLC/10%/seed0``."""
        return f'{_file_name(self.row)}/{_file_name(self.column)}/seed{self.seed}'


class Grid(NamedTuple):
    """What a grid file says.

    Attributes:
        path: of the file.
        title: heading of the report.
        note: a paragraph for the report.
        metric: that is reported.
        reference: row that the others are compared with; None for no comparison.
        rows: names, in the order of the table.
        columns: names.
        cells: all runs.
        published: ``(row, column)`` -> published figure.
        notes: row -> remark.
        epochs: budget of a run, if the grid sets it.
    """

    path: Path
    title: str
    note: str
    metric: str
    reference: Optional[str]
    rows: list[str]
    columns: list[str]
    cells: list[Cell]
    published: dict[tuple[str, str], float]
    notes: dict[str, str]
    epochs: Optional[int]


def load_grid(
    path, seeds: Optional[int] = None, reference: Optional[str] = None
) -> Grid:
    """Read and check a grid file; nothing is run.

    Args:
        path: of the grid file.
        seeds: number of seeds, 0, 1, ...; None for what the file says (3).
        reference: row that the others are compared with; None for what the file says.

    Raises:
        FileNotFoundError: a config does not exist.
        ValueError: an unknown key, a name that occurs twice, an option that does not
            fit its config. The message names the line of the grid file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'the grid file {str(path)!r} does not exist')
    source = GridSource(path)
    cfg = Config.fromfile(str(path))
    source.check_keys(cfg, KEYS, 'the grid')
    for key in ('title', 'rows'):
        if not cfg.get(key):
            raise ValueError(f'{path}: {key} is missing')
    columns = list(cfg.get('columns') or [dict(name='mAP')])
    for column in columns:
        source.check_keys(column, COLUMN_KEYS, 'a column', ('name',))
    for row in cfg.rows:
        source.check_keys(row, ROW_KEYS, 'a row', ('name',))
    row_names = [row['name'] for row in cfg.rows]
    source.check_unique(row_names, 'row')
    source.check_unique([column['name'] for column in columns], 'column')
    names = [column['name'] for column in columns]

    count = cfg.get('seeds', 3) if seeds is None else seeds
    if not isinstance(count, int) or count < 1:
        raise ValueError(
            f'{source.at("seeds")}: seeds must be 1 or more, found {count!r}'
        )
    reference = reference or cfg.get('reference')
    if reference is not None and reference not in row_names:
        raise ValueError(
            f'{source.at(reference)}: reference {reference!r} is not a row; there are '
            f'{row_names}'
        )
    cells, published = [], {}
    for row in cfg.rows:
        wanted = row.get('columns', names)
        figures = row.get('published') or {}
        by_column = row.get('config') if isinstance(row.get('config'), dict) else {}
        for name in {*wanted, *figures, *by_column} - {*names}:
            raise ValueError(
                f'{source.at(row["name"])}: row {row["name"]!r} names the column '
                f'{name!r}; there are {names}'
            )
        published.update({(row['name'], n): value for n, value in figures.items()})
        for column in columns:
            if column['name'] not in wanted:
                continue
            config = row.get('config')
            if isinstance(config, dict):
                config = config.get(column['name'])
            config = config or column.get('config')
            if config is None:
                raise ValueError(
                    f'{source.at(row["name"])}: neither row {row["name"]!r} nor column '
                    f'{column["name"]!r} names a config'
                )
            file = (path.parent / config).resolve()
            if not file.is_file():
                raise FileNotFoundError(
                    f'{source.at(config, row["name"])}: the config {config!r} of row '
                    f'{row["name"]!r} does not exist'
                )
            options = {
                **(cfg.get('options') or {}),
                **(column.get('options') or {}),
                **(row.get('options') or {}),
            }
            cells += [
                Cell(row['name'], column['name'], seed, file, _seeded(options, seed))
                for seed in range(count)
            ]
    folders: dict[str, Cell] = {}
    for cell in cells:
        twin = folders.setdefault(cell.name, cell)
        if twin is not cell:
            raise ValueError(
                f'{source.at(cell.row)}: rows {twin.row!r} and {cell.row!r} (columns '
                f'{twin.column!r} and {cell.column!r}) would share the folder '
                f'{cell.name!r}. Rename one'
            )
    grid = Grid(
        path=path,
        title=cfg.title,
        note=cfg.get('note', ''),
        metric=cfg.get('metric', 'multi-label/mAP'),
        reference=reference,
        rows=row_names,
        columns=names,
        cells=cells,
        published=published,
        notes={row['name']: row['note'] for row in cfg.rows if row.get('note')},
        epochs=cfg.get('epochs'),
    )
    same: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if cell.seed == 0:
            key = (cell.column, config_hash(_checked_config(grid, cell, source)))
            twin = same.setdefault(key, cell)
            if twin is not cell:
                raise ValueError(
                    f'{source.at(cell.row)}: rows {twin.row!r} and {cell.row!r} are '
                    f'the same run in column {cell.column!r}. Remove one'
                )
    return grid


def _seeded(value, seed: int):
    """Plain dicts and lists of options, with the seed in place of ``{seed}``."""
    if isinstance(value, dict):
        return {key: _seeded(item, seed) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_seeded(item, seed) for item in value)
    if value == '{seed}':
        return seed
    return value.replace('{seed}', str(seed)) if isinstance(value, str) else value


def cell_config(cell: Cell, epochs: Optional[int] = None) -> Config:
    """The config of a run: file, options, seed, and the budget.

    The seed goes to ``randomness.seed`` and to every transform that masks labels. What
    an option says stands, whatever the budget would make of it.

    Args:
        cell: the run.
        epochs: number of epochs; schedules that are longer than the run stay so, in
            proportion. None for what the config says.
    """
    # Its transforms are asked which of them mask labels.
    import mmscpnet.datasets  # noqa: F401

    cfg = copy.deepcopy(_parsed(str(cell.config), cell.config.stat().st_mtime_ns))
    if epochs is not None:
        ratio = epochs / cfg.train_cfg.max_epochs
        cfg.train_cfg.max_epochs = epochs
        schedulers = cfg.get('param_scheduler') or []
        for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
            if scheduler.get('total_epochs'):
                scheduler.total_epochs = max(1, round(ratio * scheduler.total_epochs))
    merge_options(cfg, cell.options)
    cfg.randomness = {**(cfg.get('randomness') or {}), 'seed': cell.seed}
    _seed_label_masking(cfg.train_dataloader, cell.seed)
    return cfg


@functools.cache
def _parsed(path: str, changed: int) -> Config:
    """A config file as it is, read once for all the runs of a grid."""
    return Config.fromfile(path)


def config_hash(cfg: Config) -> str:
    """Of everything a config says, however it came to say it."""
    text = json.dumps(cfg.to_dict(), sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _seed_label_masking(node, seed: int) -> None:
    from mmscpnet.datasets.transforms import LabelMasking
    from mmscpnet.registry import TRANSFORMS

    if isinstance(node, dict):
        kind = node.get('type')
        known = TRANSFORMS.get(kind) if isinstance(kind, str) else kind
        if isinstance(known, type) and issubclass(known, LabelMasking):
            if 'seed' in known.__init__.__code__.co_varnames:
                node['seed'] = seed
            return
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            _seed_label_masking(value, seed)


def _checked_config(grid: Grid, cell: Cell, source: GridSource) -> Config:
    where = f'{source.at(cell.row)}: row {cell.row!r}, column {cell.column!r}'
    try:
        cfg = cell_config(cell, grid.epochs)
    except Exception as error:
        raise ValueError(f'{where}: {type(error).__name__}: {error}') from error
    # Chosen by the one, reported by the other.
    for evaluator in ('val_evaluator', 'test_evaluator'):
        reported = _metrics(json.dumps(cfg.get(evaluator) or [], sort_keys=True))
        if reported is not None and grid.metric not in reported:
            raise ValueError(
                f'{source.at(grid.metric, cell.row)}: metric {grid.metric!r} is not '
                f'reported by {evaluator} of row {cell.row!r}, which reports '
                f'{sorted(reported)}'
            )
    return cfg


@functools.cache
def _metrics(evaluators: str) -> Optional[set[str]]:
    """Names that evaluators (JSON) will report; None if only a run can tell."""
    import torch

    from mmscpnet.evaluation import MultiLabelMAP
    from mmscpnet.registry import METRICS

    names: set[str] = set()
    built = json.loads(evaluators)
    for evaluator in built if isinstance(built, list) else [built]:
        metric = METRICS.build(evaluator)
        if not isinstance(metric, MultiLabelMAP):
            return None
        figures = metric.calculate(
            torch.rand(4, 2),
            torch.eye(4, 2),
            topk=metric.topk,
            average_mode=metric.average_mode,
        )
        names |= {f'{metric.prefix}/{name}' for name in figures}
    return names


def _file_name(name: str) -> str:
    return ''.join(c if c.isalnum() or c in '._+-%' else '_' for c in name)
