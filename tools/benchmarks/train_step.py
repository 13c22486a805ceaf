"""Time of one training step, part by part, beside the bare image tower.

``train_step.py CONFIG`` builds the model of a config with random weights, gives it
made-up photos, and times in turns, in one process: the image tower alone, forward and
backward; the whole step; the step cut into its parts; with ``--reference`` the step
as it is written down plainly (see ``mmscpnet/benchmarks/naive.py``). Ratios are medians
over rounds, so that they are steady where the machine is not.
"""

import argparse
from statistics import median

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

from mmscpnet.benchmarks.naive import NaiveSCPNet
from mmscpnet.benchmarks.steps import (
    PARTS,
    TrainingStep,
    add_model_options,
    check_out,
    interleaved,
    model_from_options,
    ratio,
)
from mmscpnet.evaluation.results_file import write_results


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Time of a training step')
    add_model_options(parser)
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--views', type=int, default=3, choices=(1, 2, 3))
    parser.add_argument('--no-ema', action='store_true', help='leave out the average')
    parser.add_argument(
        '--reference', action='store_true', help='time the plain form of the step too'
    )
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = parse_args(argv)
    check_out(args.out)
    init_default_scope('mmscpnet')
    torch.manual_seed(args.seed)
    cfg = Config.fromfile(args.config)
    model = model_from_options(cfg, args)
    step = TrainingStep(
        model,
        cfg,
        args.batch_size,
        args.image_size,
        args.views,
        args.num_samples,
        ema=not args.no_ema,
    )
    parts: list[dict[str, float]] = []
    tasks = {
        'bare image tower': step.bare,
        'step': step.whole,
        'divided step': lambda: parts.append(step.divided()),
    }
    if args.reference:
        naive = NaiveSCPNet(model, args.num_samples)
        tasks['plain form'] = lambda: step.whole(naive.loss)
    seconds = interleaved(tasks, args.rounds, step.views[0].device)
    bare = seconds['bare image tower']
    record = dict(
        config=args.config,
        labels=model.head.num_classes,
        batch_size=args.batch_size,
        views=args.views,
        image_size=args.image_size,
        device=args.device,
        threads=torch.get_num_threads(),
        rounds=args.rounds,
        seconds={name: median(times) for name, times in seconds.items()},
        ratios={name: ratio(times, bare) for name, times in seconds.items()},
        parts={
            part: dict(
                seconds=median(p.get(part, 0.0) for p in parts[1:]),
                ratio=ratio([p.get(part, 0.0) for p in parts[1:]], bare),
            )
            for part in PARTS
        },
    )
    show(record)
    if args.out:
        write_results(args.out, record)
    return 0


def show(record: dict) -> None:
    """Print the table."""
    table = Table(
        title=f'{record["batch_size"]} images x {record["views"]} views at '
        f'{record["image_size"]}, {record["labels"]} labels, {record["device"]}, '
        f'{record["threads"]} thread(s), median of {record["rounds"]}'
    )
    for column in ('part', 'milliseconds', 'of the bare image tower'):
        table.add_column(column, justify='left' if column == 'part' else 'right')
    for part, found in record['parts'].items():
        table.add_row(part, f'{1e3 * found["seconds"]:.1f}', f'{found["ratio"]:.3f}')
    table.add_section()
    for name, value in record['seconds'].items():
        table.add_row(name, f'{1e3 * value:.1f}', f'{record["ratios"][name]:.3f}')
    Console().print(table)


if __name__ == '__main__':
    raise SystemExit(main())
