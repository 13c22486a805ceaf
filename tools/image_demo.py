"""Labels of photos: ``python tools/image_demo.py IMAGE|DIR CONFIG CHECKPOINT``."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Predict the labels of a photo, or of all photos of a folder'
    )
    parser.add_argument('image', help='photo, its address, or a folder of photos')
    parser.add_argument(
        'config', help='path of the config file, or name of a model of MMPretrain'
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='path or address of the checkpoint; without one the weights that the '
        'config names are used (zero-shot prediction by CLIP)',
    )
    parser.add_argument(
        '--labels',
        help='predict other labels, without training: a file with one name a line, or '
        'a known set such as voc20',
    )
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument(
        '--threshold',
        type=float,
        help="a label is given from this score on (default: the model's, mostly 0.5)",
    )
    rule.add_argument('--top-k', type=int, help='the k best labels are given')
    rule.add_argument(
        '--thresholds', help='file of tools/analysis_tools/choose_thresholds.py'
    )
    parser.add_argument('--json', help='file for labels and scores, as JSON')
    parser.add_argument('--csv', help='file for labels and scores, as a table')
    parser.add_argument('--out-dir', help='folder for the photos with their labels')
    parser.add_argument(
        '--ann',
        help='annotation file (JSON, or a list that counts in the labels of the model) '
        'with labels that are known: the pictures of --out-dir then tell labels apart '
        'that are known to be present, proposed, known to be absent, and rejected',
    )
    cli.add_inference_arguments(parser)
    parser.add_argument(
        '--quiet', action='store_true', help='do not list each photo on the screen'
    )
    args = parser.parse_args(argv)
    if args.ann is not None and args.out_dir is None:
        parser.error('--ann is for the pictures: give --out-dir, too')
    return args


def read_known(path: str, image: str, inferencer):
    """Known labels of some photos.

    Raises:
        ValueError: the file lists none of the photos, or other labels.
    """
    from mmscpnet.apis.inputs import list_inputs
    from mmscpnet.apis.known_labels import KnownLabels

    known = KnownLabels(path, inferencer.classes)
    known.check_classes(inferencer.classes)
    items, _ = list_inputs(image, inferencer.pipeline[0].backend_args)
    paths = [item.path for item in items]
    listed = sum(known.find(p, inferencer.classes) is not None for p in paths)
    if not listed:
        raise ValueError(
            f'--ann: {path} lists none of the {len(paths)} photos, such as {paths[0]}. '
            'It names photos by the end of their path'
        )
    print(f'{listed} of {len(paths)} photos are listed in {path}')
    return known


def check_outputs(args: argparse.Namespace) -> None:
    """Refuse to replace files, before the model is read.

    Raises:
        ValueError: If a file exists and ``--overwrite`` was not given.
    """
    for option in ('json', 'csv'):
        path = getattr(args, option)
        if path is None:
            continue
        if Path(path).is_dir():
            raise ValueError(f'--{option}: {path!r} is a folder, a file is wanted')
        if Path(path).exists() and not args.overwrite:
            raise ValueError(
                f'--{option}: {path!r} exists already. Replace it by --overwrite, or '
                'name another file.'
            )
    folder = args.out_dir and Path(args.out_dir)
    if folder and not args.overwrite and folder.is_dir() and any(folder.iterdir()):
        raise ValueError(
            f'--out-dir: {args.out_dir!r} holds files. Replace them by --overwrite, or '
            'name another folder.'
        )


def show(result: dict) -> None:
    """Print a line for a photo."""
    if result['error'] is not None:
        print(f'{result["img_path"]}: cannot be used: {result["error"]}')
        return
    # Labels stand by falling score.
    scores = sorted(result['scores'][result['decisions']], reverse=True)
    pairs = zip(result['labels'], scores)
    text = ', '.join(f'{name} {score:.2f}' for name, score in pairs)
    print(f'{result["img_path"]}: {text or "no label"}')


def main(argv=None) -> None:
    args = parse_args(argv)
    check_outputs(args)
    checkpoint.forbid_pickled_code()
    from mmscpnet.apis import MultiLabelInferencer
    from mmscpnet.apis.loading import find_config
    from mmscpnet.apis.result_files import new_text_file, write_on_the_way

    config, known_weights = find_config(args.config, args.cfg_options)
    options = dict(
        device=args.device,
        batch_size=args.batch_size,
        # Lines on the screen show the progress, too.
        show_progress=args.quiet,
    )
    if args.labels is None:
        rule = dict(top_k=args.top_k, thresholds=args.thresholds)
        options.update(rule, threshold=args.threshold)
    elif args.thresholds is not None:
        raise ValueError(
            '--thresholds are for the labels that the model was trained for, so they '
            'do not go with --labels. Use --threshold or --top-k'
        )
    else:
        options.update(threshold=args.threshold, top_k=args.top_k)
    inferencer = MultiLabelInferencer(
        config, args.checkpoint or known_weights, **options
    )
    if args.labels is not None:
        inferencer.set_labels(args.labels)
    if args.ann is not None:
        inferencer.known_labels = read_known(args.ann, args.image, inferencer)
    results = inferencer.stream(
        args.image, show_dir=args.out_dir, overwrite=args.overwrite
    )
    total = failed = 0
    with ExitStack() as files:
        opened = {
            f'{name}_file': files.enter_context(new_text_file(path))
            for name, path in (('json', args.json), ('csv', args.csv))
            if path is not None
        }
        rule = inferencer.rule.description
        for result in write_on_the_way(results, inferencer.classes, rule, **opened):
            total += 1
            failed += result['error'] is not None
            if not args.quiet or result['error'] is not None:
                show(result)
        if failed == total:
            raise ValueError(f'none of the {total} photos can be used')
    print(f'{total - failed} of {total} photos have been predicted')


if __name__ == '__main__':
    main()
