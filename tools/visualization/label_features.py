"""Label features in a plane: ``label_features.py CONFIG CHECKPOINT ... --out PNG``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description='Draw the label features of checkpoints side by side, coloured by '
        'category: where a label stands before and after SAM, or in two trainings'
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('checkpoints', nargs='+', help='of models of this config')
    parser.add_argument('--names', nargs='+', help='titles (default: the files)')
    parser.add_argument(
        '--stage',
        choices=['prompts', 'refined', 'both'],
        default='refined',
        help="the prompter's features, those after SAM (default), or one panel each",
    )
    parser.add_argument('--method', choices=['tsne', 'pca'], default='tsne')
    parser.add_argument(
        '--categories',
        help='CSV with lines LABEL,CATEGORY, or a COCO JSON with supercategories '
        '(default: eight clusters of the first panel)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of t-SNE')
    parser.add_argument('--out', required=True, help='.png or .svg')
    parser.add_argument('--overwrite', action='store_true', help='replace the picture')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    args.names = args.names or [Path(path).stem for path in args.checkpoints]
    if len(args.names) != len(args.checkpoints):
        parser.error(
            f'--names: {len(args.names)} for {len(args.checkpoints)} checkpoints'
        )
    if Path(args.out).suffix not in ('.png', '.svg'):
        parser.error(f'--out must end with .png or .svg, found {args.out!r}')
    return args


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')
    out = Path(args.out)
    if out.exists() and not args.overwrite:
        raise ValueError(f'{out} exists: give --overwrite or another --out')

    import torch
    from mmengine.registry import init_default_scope

    from mmscpnet.apis.loading import build_model, find_config, read_weights
    from mmscpnet.models.heads import SCPHead
    from mmscpnet.visualization.label_feature_map import (
        LabelPoints,
        draw_label_maps,
        group_labels,
        place_labels,
        read_categories,
    )

    cfg, _ = find_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    features = {}
    for name, path in zip(args.names, args.checkpoints):
        model = build_model(cfg, read_weights(path))
        if not isinstance(model.head, SCPHead):
            raise ValueError(
                f'{args.config}: a {type(model.head).__name__} has no label features'
            )
        with torch.no_grad():
            prompts = model.head.label_features()
            refined = model.head.refined_label_features(prompts)
        if args.stage in ('prompts', 'both'):
            features[f'{name}: prompts'] = prompts.float().numpy().copy()
        if args.stage in ('refined', 'both'):
            features[f'{name}: after SAM'] = refined.float().numpy().copy()
    classes = model.head.classes
    if args.categories:
        categories = read_categories(args.categories, classes)
    else:
        categories = group_labels(next(iter(features.values())))
    panels = [
        LabelPoints(title, place_labels(values, args.method, args.seed))
        for title, values in features.items()
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_label_maps(panels, classes, categories, out)
    print(f'written: {out}')


if __name__ == '__main__':
    main()
