"""See what a model is fed: ``python tools/visualization/browse_dataset.py CONFIG``.

Runs photos through the config's own pipeline and data preprocessor and draws all views
of each, normalisation undone, with what the model is told of their labels. Nothing
that was hidden from the model is shown without ``--show-truth``.
"""

import argparse
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402
from mmscpnet.utils.cfg_options import merge_options  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description='Draw the views and labels that a config feeds to its model'
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        '--phase',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose photos (default: train)',
    )
    parser.add_argument(
        '--num',
        type=int,
        default=12,
        help='how many photos, spread evenly over the data set (default: 12)',
    )
    parser.add_argument(
        '--show-truth',
        action='store_true',
        help='also show which unknown labels are positive in truth',
    )
    parser.add_argument(
        '--per-sheet', type=int, default=8, help='photos on a sheet (default: 8)'
    )
    parser.add_argument(
        '--tile', type=int, default=192, help='side of a view in pixels (default: 192)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='of the augmentation (default: 0)'
    )
    parser.add_argument(
        '--out-dir',
        help='folder for the sheets (default: work_dirs/browse/CONFIG_PHASE)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the sheets of an earlier run'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    for name in ('num', 'per_sheet'):
        if getattr(args, name) < 1:
            parser.error(f'--{name.replace("_", "-")} must be at least 1')
    return args


def seed_everything(seed: int) -> None:
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from rich.progress import track

    from mmscpnet.registry import DATASETS, MODELS
    from mmscpnet.visualization.fed_samples import (
        describe_views,
        fed_sample,
        spread_positions,
    )
    from mmscpnet.visualization.report_folder import report_folder
    from mmscpnet.visualization.view_sheet import draw_view_sheet

    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    stem = Path(args.config).stem
    out = Path(args.out_dir or Path('work_dirs', 'browse', f'{stem}_{args.phase}'))
    with report_folder(out, args.overwrite) as folder:
        loader = cfg.get(f'{args.phase}_dataloader')
        if not loader:
            raise ValueError(f'{args.config} has no {args.phase}_dataloader')
        dataset = DATASETS.build(loader.dataset)
        settings = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor')
        preprocessor = MODELS.build(
            {'type': 'MultiViewDataPreprocessor', **(settings or {})}
        )
        seed_everything(args.seed)
        positions = spread_positions(dataset, args.num)
        samples = [
            fed_sample(inner, idx, preprocessor, args.show_truth)
            for inner, idx in track(positions, 'Running the pipeline')
        ]
        classes = list(dataset.metainfo['classes'])
        notes = describe_views(positions[0][0], samples[0], preprocessor)
        pages = range(0, len(samples), args.per_sheet)
        for page, start in enumerate(pages, start=1):
            draw_view_sheet(
                samples[start : start + args.per_sheet],
                classes,
                folder / f'sheet_{page:02d}.png',
                # Beside each other where there is room.
                columns=2 if len(samples[0].views) > 1 else 4,
                tile=args.tile,
                title=f'{stem}: {args.phase}, sheet {page} of {len(pages)}',
                notes=notes,
            )
    print(f'{len(samples)} of {len(dataset)} photos are in {out}')


if __name__ == '__main__':
    main()
