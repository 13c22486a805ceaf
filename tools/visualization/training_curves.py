"""Curves of runs in one picture: ``training_curves.py WORK_DIR ... --out PNG``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw the validation mAP of runs by epoch, plain and averaged '
        'weights, and published curves behind them'
    )
    parser.add_argument('work_dirs', nargs='+', help='folders of runs')
    parser.add_argument('--names', nargs='+', help='of the runs (default: folders)')
    parser.add_argument(
        '--published',
        nargs='+',
        metavar=('FILE', 'NAME'),
        help='JSON file of published curves, and which of them (all by default)',
    )
    parser.add_argument(
        '--metric',
        nargs='+',
        default=['multi-label/mAP'],
        help='figures of the log, each a curve of each run, such as '
        'pseudo_labels/plain/precision pseudo_labels/calibrated/precision of a run '
        'with PseudoLabelDiagnosticsHook (default: multi-label/mAP)',
    )
    parser.add_argument('--title', default='validation images', help='above it')
    parser.add_argument(
        '--ylabel', help='what the figures are (default: the last part of --metric)'
    )
    parser.add_argument('--out', required=True, help='.png or .svg')
    parser.add_argument('--overwrite', action='store_true', help='replace the picture')
    args = parser.parse_args(argv)
    if args.names is not None and len(args.names) != len(args.work_dirs):
        parser.error(
            f'--names: {len(args.names)} for {len(args.work_dirs)} work folders'
        )
    if Path(args.out).suffix not in ('.png', '.svg'):
        parser.error(f'--out must end with .png or .svg, found {args.out!r}')
    return args


def main(argv=None) -> None:
    args = parse_args(argv)
    from mmscpnet.benchmarks.curves import (
        published_curve,
        published_names,
        run_curve,
    )
    from mmscpnet.visualization.training_curves import draw_training_curves

    out = Path(args.out)
    if out.exists() and not args.overwrite:
        raise ValueError(f'{out} exists: give --overwrite or another --out')
    names = args.names or [Path(folder).name for folder in args.work_dirs]
    if len(set(names)) < len(names):
        raise ValueError(f'runs need different names, found {names}. Give --names')
    runs = {
        name if len(args.metric) == 1 else f'{name}: {metric}': run_curve(
            folder, metric
        )
        for name, folder in zip(names, args.work_dirs)
        for metric in args.metric
    }
    published = {}
    if args.published:
        file, *wanted = args.published
        wanted = wanted or published_names(file)
        if not wanted:
            raise ValueError(f'{file} has no curves')
        published = {name: published_curve(file, name) for name in wanted}
    out.parent.mkdir(parents=True, exist_ok=True)
    ylabel = args.ylabel or args.metric[0].rpartition('/')[2]
    draw_training_curves(runs, published, out, args.title, ylabel)
    for name, curve in runs.items():
        best, epoch = curve.best
        print(f'{name}: best {best:.2f} in epoch {epoch}')
    print(f'written: {out}')


if __name__ == '__main__':
    main()
