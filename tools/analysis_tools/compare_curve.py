"""Does a run reproduce a published one? ``compare_curve.py WORK_DIR CURVES.json NAME``.

Prints both curves and the difference, draws them, and says whether the best mAP is
within the tolerance: exit code 0 if so, 1 if not.
"""

import argparse
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
        description='Compare a finished run with a published curve'
    )
    parser.add_argument('work_dir', help='folder of the run')
    parser.add_argument('curves', help='JSON file of published curves')
    parser.add_argument('name', help='which curve of the file, such as coco')
    parser.add_argument(
        '--target', type=float, help='published mAP (default: best of the curve)'
    )
    parser.add_argument(
        '--tolerance', type=float, default=0.5, help='percentage points (default: 0.5)'
    )
    parser.add_argument('--metric', default='multi-label/mAP')
    parser.add_argument(
        '--out', help='PNG (default: compare_NAME.png in the folder of the run)'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace an existing PNG'
    )
    return parser.parse_args(argv)


def print_curves(run, published, console: Console) -> None:
    table = Table('epoch', title='mAP by epoch')
    for name in ('published', 'run', 'difference'):
        for model in ('plain', 'averaged'):
            table.add_column(f'{name}, {model}', justify='right')
    ours = dict(zip(run.epochs, zip(run.plain, run.ema)))
    theirs = dict(zip(published.epochs, zip(published.plain, published.ema)))
    for epoch in sorted({*ours, *theirs}):
        a = theirs.get(epoch, (None, None))
        b = ours.get(epoch, (None, None))
        gaps = [None if None in pair else pair[1] - pair[0] for pair in zip(a, b)]
        cells = [*a, *b]
        texts = ['' if x is None else f'{x:.2f}' for x in cells]
        texts += ['' if x is None else f'{x:+.2f}' for x in gaps]
        table.add_row(str(epoch), *texts)
    console.print(table)


def draw(run, published, title: str, path: Path) -> None:
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    from mmscpnet.visualization.drawing import save_figure

    figure, axis = plt.subplots(figsize=(8, 5), layout='constrained')
    for curve, name, style in [(published, 'published', '--'), (run, 'run', '-')]:
        axis.plot(curve.epochs, curve.plain, f'C0{style}', label=f'{name}, plain')
        have = [(e, v) for e, v in zip(curve.epochs, curve.ema) if v is not None]
        if have:
            axis.plot(*zip(*have), f'C1{style}', label=f'{name}, averaged')
    axis.set(xlabel='epoch', ylabel='mAP', title=title)
    axis.grid(alpha=0.3)
    axis.legend()
    save_figure(figure, path, dpi=120)


def main(argv=None) -> int:
    args = parse_args(argv)
    from mmscpnet.benchmarks.curves import judge, published_curve, run_curve

    console = Console()
    path = Path(args.out or Path(args.work_dir) / f'compare_{args.name}.png')
    if path.exists() and not args.overwrite:
        raise ValueError(f'{path} exists: give --overwrite or another --out')
    published = published_curve(args.curves, args.name)
    run = run_curve(args.work_dir, args.metric)
    verdict = judge(run, published, args.target, args.tolerance)
    print_curves(run, published, console)
    draw(run, published, f'{args.name}: {Path(args.work_dir).name}', path)
    console.print(f'written: {path}')
    state = 'PASS' if verdict.passed else 'FAIL'
    if not verdict.passed and not verdict.finished:
        state = f'FAIL so far, at epoch {run.epochs[-1]} of {published.epochs[-1]}'
    console.print(
        f'{state}: best {verdict.found:.2f}, published {verdict.target:.2f}, '
        f'tolerance {verdict.tolerance:g}'
    )
    return 0 if verdict.passed else 1


if __name__ == '__main__':
    sys.exit(main())
