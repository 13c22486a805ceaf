"""The label graph as pictures: ``label_graph.py CONFIG [CHECKPOINT] --out-dir DIR``.

Figure 3 (left) of the paper. Draws a heat map of the weights and a network of each
label's strongest neighbours, as PNG and SVG. The graph is that of

- the checkpoint, if there is one (a dynamic graph is computed from its label features);
- ``--source``: a ``.npy`` or ``.pt`` file of label similarities or features, or
  settings of a registered source as key=value pairs;
- else the config's own source.

Numbers and lists of neighbours are in ``tools/analysis_tools/label_graph_report.py``.
"""

import argparse
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
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('checkpoint', nargs='?', help='of a model of this config')
    parser.add_argument(
        '--source',
        nargs='+',
        metavar='FILE_OR_KEY=VALUE',
        help='other similarities, of which the graph is made with the settings of '
        'model.head.label_graph; not with a checkpoint',
    )
    parser.add_argument(
        '--neighbors',
        type=int,
        default=3,
        help='edges that a label starts in the network (default: 3)',
    )
    parser.add_argument(
        '--layout',
        choices=['auto', 'force', 'circle'],
        default='auto',
        help='of the network: by its distances, on a circle, or, by default, the '
        'former up to 100 labels',
    )
    parser.add_argument(
        '--categories',
        help='CSV with lines LABEL,CATEGORY, or a COCO JSON with supercategories, for '
        'the colours (default: eight clusters)',
    )
    parser.add_argument('--title', help='above the pictures (default: the config)')
    parser.add_argument('--out-dir', required=True, help='folder for the pictures')
    parser.add_argument('--overwrite', action='store_true', help='replace pictures')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    if args.neighbors < 1:
        parser.error('--neighbors must be at least 1')
    if args.checkpoint and args.source:
        parser.error(
            '--source: the graph is that of the checkpoint. Leave one of them out'
        )
    return args


def trained_graph(cfg, path: str):
    """Classes and graph of a checkpoint.

    Raises:
        ValueError: the head has no label graph.
    """
    import torch

    from mmscpnet.apis.loading import build_model, read_weights

    head = build_model(cfg, read_weights(path)).head
    module = getattr(head, 'label_graph', None)
    if module is None:
        raise ValueError(
            f'{path}: a {type(head).__name__} without label graph; there is none to '
            'draw. Give similarities by --source, and no checkpoint'
        )
    with torch.no_grad():
        graph = module(head.label_features())
    dense = [m.to_dense() if m.is_sparse else m for m in graph]
    return list(head.classes), type(graph)(*dense)


def source_graph(cfg, args: argparse.Namespace):
    """Classes and graph of ``--source`` or of the config.

    Raises:
        ValueError: there is no graph, or no source of one.
    """
    import torch

    from mmscpnet.datasets import load_class_names
    from mmscpnet.label_graph import build_label_graph
    from mmscpnet.label_graph.named_sources import graph_settings, parse_source
    from mmscpnet.registry import LABEL_SOURCES

    settings = cfg.model.head.get('label_graph')
    if not settings:
        raise ValueError(f'{args.config}: model.head has no label_graph to draw')
    if args.source:
        _, source = parse_source(args.source, '--source')
    elif settings.get('source'):
        source = settings.source.to_dict()
    else:
        raise ValueError(
            f'{args.config}: model.head.label_graph names no source of similarities; '
            'give a checkpoint, or one by --source'
        )
    classes = load_class_names(cfg.model.head.get('classes'), 'model.head.classes')
    with torch.no_grad():
        similarity = LABEL_SOURCES.build(source).similarity(classes)
        graph = build_label_graph(similarity, names=classes, **graph_settings(settings))
    return classes, graph


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')
    checkpoint.forbid_pickled_code()
    import numpy as np
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmscpnet.visualization.heat_map import HeatMap, cluster_order, draw_heat_maps
    from mmscpnet.visualization.label_feature_map import group_labels, read_categories
    from mmscpnet.visualization.label_network import draw_label_network
    from mmscpnet.visualization.report_folder import report_folder

    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    if not cfg.get('model') or not cfg.model.get('head'):
        raise ValueError(f'{args.config} has no model with a head')
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    out = Path(args.out_dir)
    with report_folder(out, args.overwrite) as folder:
        if args.checkpoint:
            classes, graph = trained_graph(cfg, args.checkpoint)
        else:
            classes, graph = source_graph(cfg, args)
        # Eq. 3 is in proportion to the similarities; what Eq. 2 dropped is 0.
        weights = graph.reweighted.double().numpy()
        order = cluster_order(weights)
        if args.categories:
            categories = read_categories(args.categories, classes)
        else:
            categories = group_labels(weights)
        title = args.title or Path(args.config).stem
        shown = np.where(weights > 0, graph.normalized.double().numpy(), np.nan)
        heat_map = HeatMap(shown, title, 'weight in the graph (Eq. 4)')
        for suffix in ('png', 'svg'):
            draw_heat_maps([heat_map], classes, folder / f'heat_map.{suffix}', order)
            draw_label_network(
                weights,
                classes,
                categories,
                folder / f'network.{suffix}',
                title=title,
                neighbors=args.neighbors,
                layout=args.layout,
                legend=bool(args.categories),
            )
    for name in ('heat_map', 'network'):
        print(f'written: {out / name}.png, .svg')


if __name__ == '__main__':
    main()
