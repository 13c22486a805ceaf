"""Recompute the measures of a test: ``eval_results.py SCORES [CONFIG]``.

``SCORES`` is what ``tools/test.py --out`` wrote, ``.npz`` or ``.json``. With the config
of the test, all metrics of its ``test_evaluator`` are computed, else ``MultiLabelMAP``
with the options given here. Neither model nor photos are needed.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import cli  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    from mmscpnet.evaluation import AP_MODES

    parser = argparse.ArgumentParser(
        description='Recompute all measures from the scores of a test'
    )
    parser.add_argument('scores', help='what tools/test.py --out wrote: .npz or .json')
    parser.add_argument('config', nargs='?', help='config, for its test_evaluator')
    parser.add_argument(
        '--thr', type=float, help='a label counts as given from this score on (0.5)'
    )
    parser.add_argument('--topk', type=int, help='k of the top-k measures (3)')
    parser.add_argument(
        '--average-mode', nargs='+', choices=AP_MODES, help='kinds of mAP'
    )
    parser.add_argument(
        '--empty',
        choices=['zero', 'skip'],
        help='what a class without positives counts in the mAP (zero)',
    )
    parser.add_argument(
        '--no-table', action='store_true', help='no table of all classes'
    )
    parser.add_argument('--out', help='JSON file for the measures')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the file named by --out'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    options = ('thr', 'topk', 'average_mode', 'empty')
    given = [name for name in options if getattr(args, name) is not None]
    if args.config and (given or args.no_table):
        parser.error(
            'the config says how to measure; change it by --cfg-options '
            'test_evaluator.thr=..., or leave the config out'
        )
    if args.cfg_options and not args.config:
        parser.error('--cfg-options needs a config')
    args.metric = {name: getattr(args, name) for name in given}
    return args


def configured_metrics(args: argparse.Namespace) -> tuple:
    """The ``test_evaluator`` of the config, and its class names or None."""
    from mmengine.registry import DefaultScope

    from mmscpnet.apis.loading import find_config, find_test_dataset
    from mmscpnet.datasets.class_names import load_class_names
    from mmscpnet.registry import METRICS, SCOPE

    config, _ = find_config(args.config, args.cfg_options)
    settings = config.get('test_evaluator')
    if not settings:
        raise ValueError(f'{args.config} has no test_evaluator')
    settings = settings if isinstance(settings, list) else [settings]
    with DefaultScope.overwrite_default_scope(config.get('default_scope', SCOPE)):
        metrics = [METRICS.build(dict(metric)) for metric in settings]
    classes = find_test_dataset(config).get('classes')
    names = None if classes is None else load_class_names(classes, 'dataset.classes')
    return metrics, names


def main(argv=None) -> None:
    args = parse_args(argv)
    if args.out and Path(args.out).exists() and not args.overwrite:
        raise ValueError(
            f'{args.out!r} exists already. Replace it by --overwrite, or name another '
            'file by --out.'
        )
    import torch
    from mmengine.evaluator import Evaluator

    from mmscpnet.evaluation import MultiLabelMAP, format_per_class_table
    from mmscpnet.evaluation.results_file import write_bytes
    from mmscpnet.evaluation.score_table import load_scores

    if args.config:
        metrics, names = configured_metrics(args)
    else:
        metrics, names = [MultiLabelMAP(**args.metric)], None
    table = load_scores(args.scores, names)
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=table.classes)
    scores, targets = map(torch.from_numpy, (table.scores, table.targets))
    samples = [
        dict(pred_score=row, gt_score=labels, img_path=path)
        for row, labels, path in zip(scores, targets, table.img_path)
    ]
    values = evaluator.offline_evaluate(samples, chunk_size=1024)
    if not args.config and not args.no_table:
        thr = metrics[0].thr
        rows = MultiLabelMAP.per_class_rows(scores, targets, thr, table.classes)
        title = f'Per class, in percent; P, R and F1 at a threshold of {thr}:'
        print(format_per_class_table(rows, title))
    for name, value in values.items():
        print(f'{name}: {value:.4f}')
    if args.out:
        text = json.dumps(values, indent=1)
        write_bytes(args.out, text.encode(), overwrite=True)


if __name__ == '__main__':
    main()
