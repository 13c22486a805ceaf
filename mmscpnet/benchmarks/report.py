"""Tables and pictures of a grid, from the results that are there."""

import functools
import json
from pathlib import Path
from typing import Any, Optional

import numpy as np
from rich.progress import track

from mmscpnet.evaluation.results_file import write_bytes

from .grid import Grid
from .jobs import RESULT, Job
from .statistics import (
    PairedDifference,
    Resampled,
    paired_difference,
    resampled,
)

Records = dict[tuple[str, str], list[dict[str, Any]]]


def write_report(grid: Grid, jobs: list[Job], work_dir: Path) -> list[Path]:
    """Write ``results.json``, ``table.md``, ``bars.png`` and ``curves.png``.

    They are made anew from the results of the runs, which are never changed.

    Returns:
        The files.
    """
    records = read_records(jobs)
    differences = compare(grid, jobs, records)
    files = {
        'results.json': json.dumps(
            [r for runs in records.values() for r in runs], indent=1
        ),
        'table.md': markdown(grid, jobs, records, differences),
    }
    written = []
    for name, text in files.items():
        path = work_dir / name
        write_bytes(str(path), (text + '\n').encode(), overwrite=True)
        written.append(path)
    if records:
        written += [
            draw_bars(grid, records, work_dir / 'bars.png'),
            draw_curves(grid, records, work_dir / 'curves.png'),
        ]
    return written


def read_records(jobs: list[Job]) -> Records:
    """Results of finished runs by row and column, in the order of the seeds."""
    records: Records = {}
    for job in jobs:
        if job.finished:
            record = json.loads((job.folder / RESULT).read_text())
            records.setdefault((job.cell.row, job.cell.column), []).append(record)
    return records


def compare(
    grid: Grid, jobs: list[Job], records: Records
) -> dict[tuple[str, str], PairedDifference]:
    """Each row against the reference, on the seeds that both have."""
    if grid.reference is None:
        return {}
    folders = {(j.cell.row, j.cell.column, j.cell.seed): j.folder for j in jobs}

    @functools.cache
    def run(*cell: Any) -> Resampled:
        return resampled(*_scores(folders[cell]))

    result = {}
    for (row, column), runs in track(
        records.items(), 'Bootstrap over the test images', transient=True
    ):
        base = {r['seed']: r for r in records.get((grid.reference, column), [])}
        pairs = [(r, base[r['seed']]) for r in runs if r['seed'] in base]
        if row == grid.reference or not pairs:
            continue
        result[row, column] = paired_difference(
            [run(row, column, ours['seed']) for ours, _ in pairs],
            [run(grid.reference, column, theirs['seed']) for _, theirs in pairs],
            [(ours['chosen'], theirs['chosen']) for ours, theirs in pairs],
        )
    return result


def markdown(
    grid: Grid,
    jobs: list[Job],
    records: Records,
    differences: dict[tuple[str, str], PairedDifference],
) -> str:
    """The table, the comparison and what a reader must know about both."""
    published = [c for c in grid.columns if any(k[1] == c for k in grid.published)]
    header = ['']
    for column in grid.columns:
        header += [column] + ([f'{column}, published'] if column in published else [])
    seeds = {job.cell.seed for job in jobs}
    rows = []
    for row in grid.rows:
        line = [row]
        for column in grid.columns:
            line.append(_mean_and_std(records.get((row, column)), len(seeds)))
            if column in published:
                line.append(_figure(grid.published.get((row, column))))
        rows.append(line)
    parts = [f'## {grid.title}', grid.note] if grid.note else [f'## {grid.title}']
    parts += [_table(header, rows), _legend(grid, jobs, records)]
    if grid.notes:
        parts.append('\n'.join(f'- {row}: {note}' for row, note in grid.notes.items()))
    if differences:
        parts += [f'### Against {grid.reference}', _paired_table(grid, differences)]
    parts += ['### Runs', _run_table(grid, records)]
    failed = [job.cell.name for job in jobs if job.status == 'failed']
    if failed:
        parts.append(f'Failed: {", ".join(failed)} (see `error.json` there).')
    return '\n\n'.join(parts)


def _legend(grid: Grid, jobs: list[Job], records: Records) -> str:
    runs = [r for group in records.values() for r in group]
    on = sorted({r['chosen_on'] for r in runs})
    seeds = sorted({job.cell.seed for job in jobs})
    return (
        f'`{grid.metric}` on the test images, mean ± standard deviation over label '
        f'seeds {", ".join(map(str, seeds))}; epoch and model (averaged or plain) '
        f'chosen on {" or ".join(on) or "nothing yet"}; {len(runs)} of {len(jobs)} '
        'runs finished. An empty cell was not run; where fewer seeds are finished, '
        'their number is in brackets.'
    )


def _paired_table(grid: Grid, differences) -> str:
    header = ['', '', 'difference', '95% over images', 'per seed']
    rows = []
    for (row, column), d in differences.items():
        rows.append(
            [
                row,
                column,
                f'{d.mean:+.2f}' + ('' if np.isnan(d.std) else f' ± {d.std:.2f}'),
                f'{d.low:+.2f} … {d.high:+.2f}',
                ', '.join(f'{x:+.2f}' for x in d.per_seed),
            ]
        )
    return _table(header, rows)


def _run_table(grid: Grid, records: Records) -> str:
    header = ['', '', 'validation', 'best: averaged', 'best: plain']
    header += ['last: averaged', 'last: plain', 'epoch', 'seconds', 'MiB']
    rows = []
    for (row, column), runs in records.items():
        line = [row, column]
        best = [_best_validation(r) for r in runs if r['chosen_on'] == 'validation']
        line.append(f'{np.mean(best):.2f}' if best else '')
        for name in ('best_ema', 'best_plain', 'last_ema', 'last_plain'):
            have = [r['test'][name] for r in runs if name in r['test']]
            line.append(f'{np.mean(have):.2f}' if have else '')
        line.append(', '.join(str(r['best_epoch']) for r in runs))
        line.append(f'{np.mean([r["seconds"] for r in runs]):.0f}')
        memory = [r['gpu_memory_mib'] or r['peak_memory_mib'] for r in runs]
        known = [m for m in memory if m is not None]
        line.append(f'{max(known):.0f}' if known else '')
        rows.append(line)
    return _table(header, rows)


def _best_validation(run: dict[str, Any]) -> float:
    return max(v for e in run['validation'] for k, v in e.items() if k != 'epoch')


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ['---'] + ['---:'] * (len(header) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def _figure(value: Optional[float]) -> str:
    return '' if value is None else f'{value:.1f}'


def _mean_and_std(runs: Optional[list[dict]], seeds: int) -> str:
    """Their number behind it where it is not that of the seeds; always that of one."""
    if not runs:
        return ''
    values = [run['chosen'] for run in runs]
    count = f' ({len(values)})' if len(values) < max(seeds, 2) else ''
    if len(values) == 1:
        return f'{values[0]:.1f}{count}'
    return f'{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}{count}'


def _scores(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(folder / 'report' / 'test_scores.npz', allow_pickle=False) as file:
        return file['scores'], file['targets']


def draw_bars(grid: Grid, records: Records, path: Path) -> Path:
    """Bars with standard deviations, one panel a column."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    from mmscpnet.visualization.drawing import save_figure

    columns = [c for c in grid.columns if any(k[1] == c for k in records)]
    rows = [r for r in grid.rows if any(k[0] == r for k in records)]
    figure, axes = plt.subplots(
        1,
        len(columns),
        figsize=(2.2 + 4 * len(columns), 1.2 + 0.3 * len(rows)),
        sharey=True,
        squeeze=False,
        layout='constrained',
    )
    for axis, column in zip(axes[0], columns):
        for y, row in enumerate(rows):
            values = [r['chosen'] for r in records.get((row, column), [])]
            if not values:
                continue
            color = 'tab:orange' if row == grid.reference else 'tab:blue'
            axis.barh(y, np.mean(values), color=color, alpha=0.75, height=0.7)
            axis.plot(values, [y] * len(values), 'k.', markersize=4)
            if len(values) > 1:
                spread = np.std(values, ddof=1)
                axis.errorbar(np.mean(values), y, xerr=spread, color='k', capsize=3)
        shown = [r['chosen'] for k, g in records.items() if k[1] == column for r in g]
        margin = 0.15 * (max(shown) - min(shown)) + 0.5
        axis.set_xlim(max(0, min(shown) - margin), min(100, max(shown) + margin))
        axis.set_yticks(range(len(rows)), rows)
        axis.set_title(column)
        axis.set_xlabel(f'{grid.metric}, test')
        axis.grid(axis='x', alpha=0.3)
    axes[0][0].invert_yaxis()
    figure.suptitle(grid.title)
    save_figure(figure, path, dpi=120)
    return path


def draw_curves(grid: Grid, records: Records, path: Path) -> Path:
    """Validation by epoch, mean over seeds of the better model."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    from mmscpnet.visualization.drawing import save_figure

    columns = [c for c in grid.columns if any(k[1] == c for k in records)]
    figure, axes = plt.subplots(
        1,
        len(columns),
        figsize=(3 + 5 * len(columns), 5),
        squeeze=False,
        layout='constrained',
    )
    colors = plt.get_cmap('tab20').colors
    for axis, column in zip(axes[0], columns):
        for i, row in enumerate(grid.rows):
            curves = [
                [max(e['plain'], e.get('ema', e['plain'])) for e in r['validation']]
                for r in records.get((row, column), [])
                if r['validation']
            ]
            if not curves:
                continue
            length = min(map(len, curves))
            stacked = np.array([curve[:length] for curve in curves])
            epochs = [e['epoch'] for e in records[row, column][0]['validation']]
            color = colors[i % len(colors)]
            style = '-' if i < len(colors) else '--'
            axis.plot(
                epochs[:length],
                stacked.mean(axis=0),
                style,
                color=color,
                label=row,
            )
            axis.fill_between(
                epochs[:length],
                stacked.min(axis=0),
                stacked.max(axis=0),
                color=color,
                alpha=0.12,
                linewidth=0,
            )
        axis.set_title(column)
        axis.set_xlabel('epoch')
        axis.set_ylabel(f'{grid.metric}, validation')
        axis.grid(alpha=0.3)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside right center', fontsize='small')
    figure.suptitle(f'{grid.title}: mean and range over seeds')
    save_figure(figure, path, dpi=120)
    return path
