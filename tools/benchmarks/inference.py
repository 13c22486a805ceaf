"""Images a second at test time, beside the bare image tower.

``inference.py CONFIG`` predicts made-up photos with a model of random weights, in
batches of 1, 16 and 64, in turns with the image tower alone; with ``--reference`` also
in the plain form, which computes the label features for every batch anew.
"""

import argparse
from statistics import median

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from rich.console import Console
from rich.table import Table

from mmscpnet.benchmarks.naive import NaiveSCPNet
from mmscpnet.benchmarks.steps import (
    add_model_options,
    check_out,
    interleaved,
    model_from_options,
    ratio,
)
from mmscpnet.evaluation.results_file import write_results


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Images a second at test time')
    add_model_options(parser)
    parser.add_argument('--batch-sizes', type=int, nargs='+', default=[1, 16, 64])
    parser.add_argument(
        '--reference', action='store_true', help='time the plain form too'
    )
    return parser.parse_args(argv)


@torch.no_grad()
def measure(model, naive, batch_size: int, args) -> dict:
    """Rates of one batch size and ratios of the times to the bare image tower."""
    size = (batch_size, 3, args.image_size, args.image_size)
    images = torch.randn(size, device=args.device)
    tasks = {
        'bare image tower': lambda: model.extract_feat(images),
        'model': lambda: model.predict(images, [DataSample() for _ in images]),
    }
    if naive is not None:
        tasks['plain form'] = lambda: naive.logits(images).sigmoid()
    seconds = interleaved(tasks, args.rounds, images.device)
    bare = seconds['bare image tower']
    return {
        name: dict(
            images_a_second=batch_size / median(times),
            milliseconds=1e3 * median(times),
            ratio=ratio(times, bare),
        )
        for name, times in seconds.items()
    }


def main(argv=None) -> int:
    args = parse_args(argv)
    check_out(args.out)
    init_default_scope('mmscpnet')
    torch.manual_seed(args.seed)
    cfg = Config.fromfile(args.config)
    model = model_from_options(cfg, args).eval()
    naive = NaiveSCPNet(model, 1) if args.reference else None
    rates = {size: measure(model, naive, size, args) for size in args.batch_sizes}
    table = Table(
        title=f'{model.head.num_classes} labels, images of {args.image_size}, '
        f'{args.device}, {torch.get_num_threads()} thread(s), median of {args.rounds}'
    )
    for column in ('batch', 'what', 'images a second', 'time / bare image tower'):
        table.add_column(column, justify='left' if column == 'what' else 'right')
    for size, found in rates.items():
        for name, value in found.items():
            rate = f'{value["images_a_second"]:.1f}'
            table.add_row(str(size), name, rate, f'{value["ratio"]:.3f}')
        table.add_section()
    Console().print(table)
    if args.out:
        record = dict(
            config=args.config,
            labels=model.head.num_classes,
            image_size=args.image_size,
            device=args.device,
            threads=torch.get_num_threads(),
            rounds=args.rounds,
            batches={str(size): found for size, found in rates.items()},
        )
        write_results(args.out, record)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
