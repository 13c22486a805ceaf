"""Time and memory of a training step against the number of labels.

``scale_labels.py CONFIG`` runs each number in a process of its own, on made-up names
and photos, and fits ``time ~ labels ** exponent`` to what the labels add to the bare
image tower, and likewise to the memory above that of the smallest number.
"""

import argparse
import json
from statistics import median

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmscpnet.benchmarks.steps import (
    OPTIONS,
    TrainingStep,
    add_model_options,
    check_out,
    interleaved,
    model_from_options,
    options_again,
    peak_memory,
    ratio,
    run_apart,
)
from mmscpnet.evaluation.results_file import write_results

SIZES = [20, 80, 312, 1000, 3000, 10000]


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Training step by number of labels')
    add_model_options(parser)
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--sizes', type=int, nargs='+', default=SIZES)
    parser.add_argument('--timeout', type=float, default=3600, help='s, of one number')
    args = parser.parse_args(argv)
    if args.classes:
        parser.error('the labels are made up: there is no --classes here')
    if len(set(args.sizes)) < 2 and not args.num_labels:
        parser.error('--sizes needs two numbers or more to fit an exponent')
    return args


def measure(args: argparse.Namespace) -> dict:
    """One number of labels, in this process."""
    init_default_scope('mmscpnet')
    torch.manual_seed(args.seed)
    cfg = Config.fromfile(args.config)
    model = model_from_options(cfg, args)
    built = peak_memory(args.device)
    step = TrainingStep(
        model, cfg, args.batch_size, args.image_size, 3, args.num_samples
    )
    tasks = {'bare': step.bare, 'step': step.whole}
    seconds = interleaved(tasks, args.rounds, step.views[0].device)
    added = [max(s - b, 1e-6) for s, b in zip(seconds['step'], seconds['bare'])]
    return dict(
        labels=args.num_labels,
        seconds=median(seconds['step']),
        ratio=ratio(seconds['step'], seconds['bare']),
        seconds_of_labels=median(added),
        peak_bytes=peak_memory(args.device),
        peak_bytes_built=built,
    )


def run_size(args: argparse.Namespace, size: int) -> dict:
    """One number of labels, in a process of its own."""
    command = [__file__, args.config, '--num-labels', str(size)]
    return run_apart(command + options_again(args, OPTIONS), args.timeout)


def exponent(sizes: list[int], values: list[float]) -> float:
    """Slope of log(value) over log(size), least squares."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main(argv=None) -> int:
    args = parse_args(argv)
    if args.num_labels:
        print(json.dumps(measure(args)))
        return 0
    check_out(args.out)
    sizes = sorted(set(args.sizes))
    found = [run_size(args, size) for size in track(sizes, 'labels')]
    fits = dict(seconds=exponent(sizes, [f['seconds_of_labels'] for f in found]))
    base = found[0]['peak_bytes']
    grown = [(f['labels'], f['peak_bytes'] - base) for f in found[1:]]
    grown = [(labels, more) for labels, more in grown if more > 0]
    fits['memory'] = exponent(*map(list, zip(*grown))) if len(grown) > 1 else None

    table = Table(title=f'{args.batch_size} images x 3 views at {args.image_size}')
    for column in ('labels', 'step, s', '/ image tower', 'labels, s', 'peak, GB'):
        table.add_column(column, justify='right')
    for f in found:
        table.add_row(
            str(f['labels']),
            f'{f["seconds"]:.2f}',
            f'{f["ratio"]:.2f}',
            f'{f["seconds_of_labels"]:.2f}',
            f'{f["peak_bytes"] / 1e9:.2f}',
        )
    console = Console()
    console.print(table)
    memory = 'not fitted' if fits['memory'] is None else f'{fits["memory"]:.2f}'
    console.print(
        f'time of the labels ~ labels ** {fits["seconds"]:.2f}; '
        f'memory above {sizes[0]} labels: exponent {memory}'
    )
    if args.out:
        record = dict(
            config=args.config,
            batch_size=args.batch_size,
            image_size=args.image_size,
            device=args.device,
            threads=torch.get_num_threads(),
            rounds=args.rounds,
            sizes=found,
            exponents=fits,
        )
        write_results(args.out, record)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
