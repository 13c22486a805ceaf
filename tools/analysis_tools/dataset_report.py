"""What is in a data set? ``dataset_report.py CONFIG`` or ``... JSON [JSON ...]``.

Of a config, all splits are counted as its model gets them, with the label masking of
the pipelines; of annotation files, what they say. Photos are never read.
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
from mmscpnet.utils.cfg_options import merge_options  # noqa: E402

SPLITS = ('train', 'val', 'test')


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description='Count the labels of a data set, and warn of what is odd'
    )
    parser.add_argument(
        'source',
        nargs='+',
        help="a config, or annotation files in OpenMMLab's JSON format, the training "
        'set first',
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=SPLITS,
        help='of a config; those that it has, by default',
    )
    parser.add_argument(
        '--few',
        type=int,
        default=10,
        help='warn of classes that are positive on fewer images (default: 10)',
    )
    parser.add_argument(
        '--out',
        help='folder for report.md and its pictures (default: '
        'work_dirs/dataset_report/NAME)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace an earlier report'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    suffixes = {Path(name).suffix for name in args.source}
    if suffixes != {'.json'} and (suffixes != {'.py'} or len(args.source) > 1):
        parser.error('source: one config (.py), or one or several .json files')
    if suffixes == {'.json'}:
        if args.splits or args.cfg_options:
            parser.error('--splits and --cfg-options belong to a config')
        stems = [Path(name).stem for name in args.source]
        if len(set(stems)) < len(stems) or len(stems) > 4:
            parser.error('source: at most four .json files, of different names')
    for name in args.source:
        checkpoint.check_file(name, 'The source')
    return args


def config_datasets(args: argparse.Namespace):
    """Datasets of a config by split, and what there is to say about them."""
    from mmengine.config import Config

    from mmscpnet.registry import DATASETS

    cfg = Config.fromfile(args.source[0])
    merge_options(cfg, args.cfg_options)
    datasets, notes = {}, []
    for name in args.splits or SPLITS:
        loader = cfg.get(f'{name}_dataloader')
        if not loader:
            if args.splits:
                raise ValueError(f'{args.source[0]} has no {name}_dataloader')
            continue
        if name == 'test' and 'val' in datasets and loader == cfg.val_dataloader:
            notes.append(
                'The test images are the validation images: the epoch is chosen on '
                'them.'
            )
            continue
        datasets[name] = DATASETS.build(loader.dataset)
    if not datasets:
        raise ValueError(f'{args.source[0]} has no dataloader')
    return datasets, notes


def json_datasets(args: argparse.Namespace):
    """Datasets of annotation files by their names."""
    from mmscpnet.datasets import IncompleteMultiLabelDataset

    datasets = {
        Path(name).stem: IncompleteMultiLabelDataset(ann_file=name)
        for name in args.source
    }
    return datasets, []


def main(argv=None) -> None:
    args = parse_args(argv)
    from mmengine.registry import init_default_scope
    from rich.console import Console
    from rich.progress import Progress

    from mmscpnet.datasets.label_statistics import read_split
    from mmscpnet.visualization.dataset_report import write_dataset_report
    from mmscpnet.visualization.report_folder import report_folder

    init_default_scope('mmscpnet')
    stem = Path(args.source[0]).stem
    out = Path(args.out or Path('work_dirs', 'dataset_report', stem))
    arguments = sys.argv[1:] if argv is None else argv
    command = 'python tools/analysis_tools/dataset_report.py ' + shlex.join(arguments)
    with report_folder(out, args.overwrite) as folder:
        of_config = Path(args.source[0]).suffix == '.py'
        datasets, notes = config_datasets(args) if of_config else json_datasets(args)
        splits = []
        with Progress(console=Console(stderr=True)) as progress:
            for name, dataset in datasets.items():
                task = progress.add_task(f'labels, {name}', total=None)

                def advance(count: int, task=task) -> None:
                    progress.advance(task, count)

                splits.append(read_split(name, dataset, advance))
                images = splits[-1].observed.images
                progress.update(task, total=images, completed=images)
        for split in splits:
            if split.samples != split.observed.images:
                notes.append(
                    f'{split.name}: wrappers make {split.samples:,} samples an epoch '
                    f'of {split.observed.images:,} images.'
                )
        title = f'Labels of {stem}'
        found = write_dataset_report(splits, folder, title, command, args.few, notes)
    console = Console(highlight=False)
    for warning in found:
        console.print(f'warning: {warning}', markup=False)
    console.print(f'{len(found)} warnings; report: {out / "report.md"}', markup=False)


if __name__ == '__main__':
    main()
