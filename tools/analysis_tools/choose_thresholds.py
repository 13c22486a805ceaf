"""Choose thresholds and calibrate: ``choose_thresholds.py SCORES`` or ``CONFIG CKPT``.

SCORES is what ``tools/test.py --out scores.json`` or the metric ``SaveScores`` (.npz)
wrote. With a config and a checkpoint the scores of the validation set are computed
first. Writes a folder with

- ``decisions.json``: class names, thresholds, calibration and how they were made, which
  inference, label completion and export take;
- ``report.md``, ``per_class.csv`` and pictures: how good the decisions are.

Choose thresholds on validation images, not on the ones that results are reported on.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

GOALS = ('f1', 'precision', 'recall', 'budget')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'source', nargs='+', metavar='SCORES | CONFIG CKPT', help='one file or two'
    )
    parser.add_argument(
        '--goal',
        choices=GOALS,
        default='f1',
        help='best F1 (default), a precision or recall of at least --value, or a '
        'budget of --value labels an image',
    )
    parser.add_argument('--value', type=float, help='of the goal')
    parser.add_argument(
        '--scope',
        choices=('class', 'global'),
        default='class',
        help='a threshold for each class (default), or one for all',
    )
    parser.add_argument(
        '--calibration',
        choices=('none', 'temperature', 'platt', 'isotonic'),
        default='platt',
        help='of the probabilities, for each class: temperature and offset (platt, '
        'default), temperature alone, or any monotone curve (isotonic)',
    )
    parser.add_argument(
        '--min-positives',
        type=int,
        default=5,
        help='known positives below which a class takes the global threshold',
    )
    parser.add_argument(
        '--min-known',
        type=int,
        default=10,
        help='known positives or negatives below which a class takes the calibration '
        'of all classes',
    )
    parser.add_argument(
        '--folds', type=int, default=5, help='parts of the cross-validation'
    )
    parser.add_argument('--seed', type=int, default=0, help='of these parts')
    parser.add_argument(
        '--classes',
        help='file of class names, or the name of a known set, for SCORES '
        'without names',
    )
    parser.add_argument(
        '--split',
        choices=('val', 'test'),
        default='val',
        help='of CONFIG to compute scores on (default: val)',
    )
    parser.add_argument('--photos', type=int, default=24, help='on a sheet of errors')
    parser.add_argument(
        '--out', help='folder (default: work_dirs/decisions/NAME_OF_SOURCE)'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace an earlier report'
    )
    cli.add_common_arguments(parser)
    args = parser.parse_args(argv)
    if len(args.source) > 2:
        parser.error('give one file of scores, or a config and a checkpoint')
    if (args.goal == 'f1') != (args.value is None):
        parser.error('--value goes with the goals precision, recall and budget')
    for name, low in (
        ('min_positives', 1),
        ('min_known', 2),
        ('folds', 2),
        ('photos', 1),
    ):
        if getattr(args, name) < low:
            parser.error(f'--{name.replace("_", "-")} must be at least {low}')
    if args.launcher != 'none':
        parser.error('scores are computed in one process; use tools/test.py --out')
    return args


def scores_of(args: argparse.Namespace, folder: Path) -> Path:
    """Run the model on a split and keep its scores in ``folder``."""
    from rich.console import Console

    args.config, weights = args.source
    args.work_dir = str(folder / 'run')
    checkpoint.check_file(weights, 'The checkpoint')
    cfg = cli.load_config(args)
    loader = cfg.get(f'{args.split}_dataloader')
    if not loader:
        raise ValueError(f'{args.config} has no {args.split}_dataloader')
    out = folder / 'scores.npz'
    cfg.test_dataloader = loader
    cfg.test_evaluator = dict(type='mmscpnet.SaveScores', out_file=str(out))
    cfg.test_cfg = cfg.get('test_cfg') or {}
    cfg.load_from, cfg.resume = weights, False
    # The table of thresholds is what is asked for, not the environment.
    cfg.log_level = 'WARNING'
    cli.set_dataloader_defaults(cfg, args)
    checkpoint.forbid_pickled_code()
    runner = cli.build_runner(cfg)
    status = Console(stderr=True).status(f'Scoring the photos of {args.split} ...')
    with checkpoint.explain_refused_checkpoint(), status:
        runner.test()
    return out


def main(argv=None) -> None:
    args = parse_args(argv)
    for path in args.source:
        checkpoint.check_file(path, 'The file')
    import tempfile

    from mmscpnet.datasets import load_class_names
    from mmscpnet.datasets.formats.conversion import refuse_used_folder
    from mmscpnet.evaluation.decision_study import Settings, study_decisions
    from mmscpnet.evaluation.score_table import load_scores
    from mmscpnet.visualization.decision_report import write_decision_report
    from mmscpnet.visualization.report_folder import report_folder

    stem = Path(args.source[0]).stem
    out = Path(args.out or Path('work_dirs', 'decisions', stem))
    # Before the scores are computed, which may take a while.
    refuse_used_folder(out, args.overwrite)
    classes = args.classes and load_class_names(args.classes, '--classes')
    with tempfile.TemporaryDirectory() as temporary:
        path = args.source[0]
        if len(args.source) == 2:
            path = scores_of(args, Path(temporary))
        table = load_scores(path, classes or None)
    settings = Settings(
        args.goal,
        args.value,
        args.scope == 'class',
        args.calibration,
        args.min_positives,
        args.min_known,
        args.folds,
        args.seed,
    )
    words = sys.argv[1:] if argv is None else argv
    command = 'python tools/analysis_tools/choose_thresholds.py ' + shlex.join(words)
    made = dict(sources=[Path(p).name for p in args.source], command=command)
    if len(args.source) == 2:
        made['split'] = args.split
    study = study_decisions(table, settings, made)
    with report_folder(out, args.overwrite) as folder:
        write_decision_report(
            table, study, settings, folder, f'Decisions of {stem}', command, args.photos
        )
    show(study, out)


def show(study, out: Path) -> None:
    """Print what matters most."""
    from rich.console import Console

    console = Console(soft_wrap=True, markup=False, highlight=False)
    for warning in study.warnings:
        console.print(f'Mind: {warning}')
    console.print(
        f'overall F1, held out: {100 * study.held_out.overall[2]:.1f}%; one threshold '
        f'for all classes: {100 * study.single.overall[2]:.1f}%'
    )
    console.print(
        f'calibration error (ECE): {100 * study.before.ece:.2f}% of the scores, '
        f'{100 * study.after.ece:.2f}% calibrated, held out'
    )
    console.print(f'decisions: {out / "decisions.json"}')
    console.print(f'report: {out / "report.md"}')


if __name__ == '__main__':
    main()
