"""Time and memory of ``MultiLabelMAP``, beside a loop over classes with argsort.

Made-up scores go into the metric in batches, as from a model, each size in a process
of its own for the peak memory. The loop is the usual one: sort the scores of a class,
count hits, take the mean of the precisions; once with numpy's fastest sort, whose
result depends on chance where scores are equal, once with its stable one. They take
turns with ours. Compared is processor time, which a busy machine changes least; ours
can use several threads.
"""

import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score

from mmscpnet.evaluation import MultiLabelMAP, multilabel_average_precision
from mmscpnet.evaluation.results_file import write_results

SIZES = ['50720x81', '100000x1000']
LARGE = '125000x9600'
BATCH = 500
ROWS = (
    ('average precision (s)', 'cpu_seconds', '.2f'),
    ('fastest loop (s)', 'loop_cpu_seconds', '.2f'),
    ('ratio to it', 'ratio', '.2f'),
    ('ratio to it, on the clock', 'ratio_on_the_clock', '.2f'),
    ('stable loop (s)', 'stable_loop_cpu_seconds', '.2f'),
    ('ratio to it', 'ratio_to_stable', '.2f'),
    ('gap to scikit-learn', 'largest_gap_to_sklearn', '.0e'),
    ('all measures, on the clock (s)', 'evaluate_seconds', '.2f'),
    ('peak memory (GB)', 'peak_gigabytes', '.2f'),
)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Speed and memory of the metric')
    parser.add_argument('--sizes', nargs='+', default=SIZES, help='images x labels')
    parser.add_argument(
        '--large',
        action='store_true',
        help=f'also {LARGE}, without the loop; takes minutes and 8 GB of memory',
    )
    parser.add_argument('--positives', type=float, default=0.03, help='their share')
    parser.add_argument('--repeats', type=int, default=5, help='the median counts')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', help='JSON file for the figures')
    args = parser.parse_args(argv)
    try:
        args.sizes = [tuple(map(int, size.split('x'))) for size in args.sizes]
    except ValueError:
        parser.error(f'--sizes are written like {SIZES[0]}, found {args.sizes}')
    if any(len(size) != 2 or min(size) < 1 for size in args.sizes):
        parser.error(f'--sizes are written like {SIZES[0]}')
    if args.repeats < 1 or not 0 < args.positives < 1:
        parser.error('--repeats must be 1 or more, --positives between 0 and 1')
    return args


def make_batches(size: tuple[int, int], positives: float, seed: int):
    """Scores (n, C) float32 and targets (n, C) int8; positives score higher."""
    generator = torch.Generator().manual_seed(seed)
    for first in range(0, size[0], BATCH):
        shape = min(BATCH, size[0] - first), size[1]
        targets = torch.rand(shape, generator=generator) < positives
        scores = torch.randn(shape, generator=generator).add_(targets).sigmoid_()
        yield scores, targets.to(torch.int8)


def argsort_loop(scores: np.ndarray, targets: np.ndarray, kind: str) -> np.ndarray:
    """The usual way, (N, C) -> (C,)."""
    result = []
    for column in range(scores.shape[1]):
        order = np.argsort(-scores[:, column], kind=kind)
        positive = targets[order, column] == 1
        ranks = np.flatnonzero(positive) + 1
        result.append(np.mean(np.cumsum(positive)[ranks - 1] / ranks))
    return np.array(result)


def timed(function, *args):
    """Seconds of the processor and of the clock, and what the function returns."""
    start = time.process_time(), time.perf_counter()
    result = function(*args)
    return time.process_time() - start[0], time.perf_counter() - start[1], result


def compare(size: tuple[int, int], args: argparse.Namespace) -> dict:
    """Average precision against the loop and scikit-learn."""
    parts = zip(*make_batches(size, args.positives, args.seed))
    scores, targets = (torch.cat(part) for part in parts)
    arrays = scores.numpy(), targets.numpy()
    spent = dict(ours=[], clock=[], quicksort=[], quicksort_clock=[], stable=[])
    for _ in range(args.repeats):
        seconds, clock, found = timed(multilabel_average_precision, scores, targets)
        spent['ours'].append(seconds)
        spent['clock'].append(clock)
        seconds, clock, _ = timed(argsort_loop, *arrays, 'quicksort')
        spent['quicksort'].append(seconds)
        spent['quicksort_clock'].append(clock)
        spent['stable'].append(timed(argsort_loop, *arrays, 'stable')[0])
    some = range(0, size[1], max(1, size[1] // 50))
    expected = [average_precision_score(arrays[1][:, c], arrays[0][:, c]) for c in some]

    def ratio(over: str, under: str) -> float:
        return median(a / b for a, b in zip(spent[over], spent[under]))

    return dict(
        cpu_seconds=median(spent['ours']),
        seconds=median(spent['clock']),
        loop_cpu_seconds=median(spent['quicksort']),
        stable_loop_cpu_seconds=median(spent['stable']),
        ratio=ratio('ours', 'quicksort'),
        ratio_to_stable=ratio('ours', 'stable'),
        ratio_on_the_clock=ratio('clock', 'quicksort_clock'),
        largest_gap_to_sklearn=float(
            np.abs(found[list(some)].numpy() - expected).max()
        ),
    )


def through_metric(size: tuple[int, int], args: argparse.Namespace) -> dict:
    """All measures, from samples to figures; peak memory of the process."""
    metric = MultiLabelMAP()
    for scores, targets in make_batches(size, args.positives, args.seed):
        samples = [dict(pred_score=s, gt_score=t) for s, t in zip(scores, targets)]
        metric.process(None, samples)
    _, seconds, figures = timed(metric.evaluate, size[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return dict(
        evaluate_seconds=seconds,
        peak_gigabytes=peak / 1e9,
        mAP=figures['multi-label/mAP'],
    )


def in_own_process(function, *args):
    """Call a function in a fresh process."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *args).result()


def show(figures: dict, threads: int) -> None:
    """Print the table, a column a size."""
    table = Table(title=f'MultiLabelMAP, {threads} thread(s)')
    table.add_column('images x labels')
    for name in figures:
        table.add_column(name, justify='right')
    for title, key, form in ROWS:
        cells = [
            format(row[key], form) if key in row else '-' for row in figures.values()
        ]
        table.add_row(title, *cells)
    Console().print(table)


def main(argv=None) -> int:
    args = parse_args(argv)
    if args.out and Path(args.out).exists():
        raise FileExistsError(f'--out {args.out} exists. Choose another name')
    figures = {}
    for size in args.sizes:
        row = in_own_process(compare, size, args)
        row.update(in_own_process(through_metric, size, args))
        figures[f'{size[0]:,} x {size[1]:,}'] = row
    if args.large:
        size = tuple(map(int, LARGE.split('x')))
        row = in_own_process(through_metric, size, args)
        figures[f'{size[0]:,} x {size[1]:,}'] = row
    threads = torch.get_num_threads()
    show(figures, threads)
    if args.out:
        write_results(args.out, dict(threads=threads, sizes=figures))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
