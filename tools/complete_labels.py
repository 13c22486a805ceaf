"""Propose missing labels: ``complete_labels.py CONFIG CKPT --ann FILE --out FILE``.

FILE is OpenMMLab's JSON, or a list with lines ``name.jpg,3 17`` (then say
``--unlisted unknown`` if images may have labels that are not listed). Known labels are
never changed; proposals of an earlier run are unknown again. Beside ``--out x.json``,
the completed annotation with the provenance of each label, this writes

- ``x_review.csv``: the proposals with their evidence, the most probable first;
- ``x_disputed.csv``: known labels that the model strongly doubts;
- with ``--truth``, ``x_report.md``, ``x_per_class.csv`` and ``x_precision_recall.png``:
  how right the proposals are;
- with ``--html``, a page to review them in a browser, whose decisions
  ``tools/dataset_converters/from_files.py review`` merges into the annotation.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

_SHOWN = 10


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'config', help='path of the config file, or name of a model of MMPretrain'
    )
    parser.add_argument('checkpoint', help='path or address of the checkpoint')
    parser.add_argument('--ann', required=True, type=Path, help='annotation file')
    parser.add_argument('--out', required=True, type=Path, help='file to write')
    parser.add_argument(
        '--images',
        type=Path,
        help="folder of the photos (default: that of the config's training set, where "
        'it has the photos, or else the folder of --ann)',
    )
    parser.add_argument(
        '--unlisted',
        choices=('negative', 'unknown'),
        help='what labels are that an image does not list (default: what --ann says)',
    )
    rule = parser.add_argument_group('what is proposed')
    rule.add_argument(
        '--thresholds',
        help='file of tools/analysis_tools/choose_thresholds.py: a threshold and a '
        'calibration for each label',
    )
    rule.add_argument(
        '--threshold',
        type=float,
        help='a label is proposed from this score on (default: as the head has it)',
    )
    rule.add_argument(
        '--precision-target',
        type=float,
        metavar='P',
        help='as many labels of each class as have, by the calibration of '
        '--thresholds, an expected precision of P; its thresholds are not used then',
    )
    rule.add_argument(
        '--classes',
        nargs='+',
        metavar='NAME',
        help='propose and dispute these labels only: names, or one file of names',
    )
    rule.add_argument(
        '--max-per-image', type=int, metavar='K', help='the K most probable of a photo'
    )
    rule.add_argument(
        '--negatives',
        type=float,
        metavar='P',
        help='propose an unknown label as negative where, by the calibration of '
        '--thresholds, it is absent with at least probability P',
    )
    rule.add_argument(
        '--doubt',
        type=float,
        default=0.95,
        metavar='P',
        help='a known label is disputed where the contrary has at least probability P '
        '(default: 0.95)',
    )
    parser.add_argument(
        '--truth', type=Path, help='annotation file with all labels, for a report'
    )
    parser.add_argument('--html', type=Path, help='page for the review')
    parser.add_argument(
        '--max-photos',
        type=int,
        default=1000,
        help='photos on the page, those of the most probable proposals (default: 1000)',
    )
    cli.add_inference_arguments(parser)
    args = parser.parse_args(argv)
    if args.precision_target is not None and args.threshold is not None:
        parser.error('give one of --precision-target and --threshold')
    if args.thresholds is None:
        for option in ('precision_target', 'negatives'):
            if getattr(args, option) is not None:
                parser.error(
                    f'--{option.replace("_", "-")} takes calibrated probabilities: '
                    'give --thresholds a file of '
                    'tools/analysis_tools/choose_thresholds.py'
                )
    elif args.threshold is not None:
        parser.error('give one of --threshold and --thresholds')
    for option, low in (('precision_target', 0), ('negatives', 0.5), ('doubt', 0.5)):
        value = getattr(args, option)
        if value is not None and not low < value <= 1:
            parser.error(
                f'--{option.replace("_", "-")} must lie between {low} and 1, found '
                f'{value}'
            )
    for option in ('max_per_image', 'max_photos', 'batch_size'):
        value = getattr(args, option)
        if value is not None and value < 1:
            parser.error(f'--{option.replace("_", "-")} must be at least 1')
    if args.max_photos != parser.get_default('max_photos') and args.html is None:
        parser.error('--max-photos goes with --html')
    return args


def output_files(args: argparse.Namespace) -> dict[str, Path]:
    """The files to write by what they are, and no two the same.

    Raises:
        ValueError: one exists and may not be replaced, or is the input.
    """
    out = args.out
    names = dict(review='review.csv', disputed='disputed.csv')
    if args.ann.suffix != '.json':
        names['provenance'] = 'provenance.csv'
    if args.truth is not None:
        names.update(
            report='report.md',
            per_class='per_class.csv',
            picture='precision_recall.png',
        )
    files = {key: out.with_name(f'{out.stem}_{name}') for key, name in names.items()}
    if args.html is not None:
        files['html'] = args.html
    # The annotation comes last: it vouches for the others.
    files['out'] = out
    if (out.suffix == '.json') != (args.ann.suffix == '.json'):
        raise ValueError(
            f'--out: {out} is written in the format of --ann, so it must '
            + ('end' if args.ann.suffix == '.json' else 'not end')
            + ' with .json'
        )
    inputs = {path.resolve() for path in (args.ann, args.truth) if path is not None}
    places = [path.resolve() for path in files.values()]
    for path in files.values():
        if path.resolve() in inputs or places.count(path.resolve()) > 1:
            raise ValueError(f'{path} would replace another file of this run')
        if path.is_dir():
            raise ValueError(f'{path} is a folder, a file is wanted')
        if path.exists() and not args.overwrite:
            raise ValueError(
                f'{path} exists already. Replace it by --overwrite, or choose another '
                'name.'
            )
    return files


def chosen_classes(given, classes: list[str]):
    """Indices of the classes that ``--classes`` names, or a file of names."""
    from mmscpnet.datasets.class_names import class_indices, load_class_names

    if given is None:
        return None
    if len(given) == 1 and given[0] not in classes and Path(given[0]).is_file():
        given = load_class_names(given[0], '--classes')
    return class_indices(given, classes, '--classes')


def main(argv=None) -> None:
    args = parse_args(argv)
    files = output_files(args)
    checkpoint.forbid_pickled_code()
    if args.images is not None and not args.images.is_dir():
        raise FileNotFoundError(f'--images: there is no folder {args.images}')
    from mmscpnet.apis import Choice, FeatureInferencer, complete_labels
    from mmscpnet.apis.loading import find_config
    from mmscpnet.apis.photo_paths import find_photo_folder, find_photos
    from mmscpnet.datasets.formats.provenance import read_traced_labels

    config, _ = find_config(args.config, args.cfg_options)
    # What is wrong with the files is said before the model is read.
    is_json = args.ann.suffix == '.json'
    labels = is_json and read_traced_labels(args.ann, unlisted=args.unlisted)
    inferencer = FeatureInferencer(
        config,
        args.checkpoint,
        device=args.device,
        threshold=args.threshold,
        thresholds=args.thresholds,
        batch_size=args.batch_size,
    )
    labels = labels or read_traced_labels(args.ann, inferencer.classes, args.unlisted)
    if not is_json and args.negatives is not None:
        raise ValueError('--negatives: a list file has no room for negative labels')
    truth = None
    if args.truth is not None:
        from mmscpnet.evaluation.completion_study import read_truth

        truth = read_truth(args.truth, labels)
    folder = args.images or find_photo_folder(config, labels.images, args.ann.parent)
    photos = find_photos(folder, labels.images)
    choice = Choice(
        args.precision_target,
        chosen_classes(args.classes, labels.classes),
        args.max_per_image,
        args.negatives,
        args.doubt,
    )
    completion = complete_labels(inferencer, labels, photos, choice)
    write(args, files, labels, completion, photos, truth, argv)
    show(files, labels, completion)


def write(args, files, labels, completion, photos, truth, argv) -> None:
    """Write all files, or none."""
    import os

    from mmscpnet.apis import completion_files as parts
    from mmscpnet.datasets.formats.staging import staged_files, staging_folder

    words = [str(word) for word in (sys.argv[1:] if argv is None else argv)]
    words = [word for word in words if word != '--overwrite']
    command = 'python tools/complete_labels.py ' + shlex.join(words)
    html = files.get('html')
    beside = [path for key, path in files.items() if key != 'html']
    with (
        staging_folder(html or args.out) as page_folder,
        staged_files(beside, args.overwrite) as stage,
    ):
        staged = {key: stage / path.name for key, path in files.items()}
        if args.ann.suffix == '.json':
            made = dict(
                command=command,
                calibrated=completion.confidence is not None,
                proposed=len(completion.proposals),
                proposed_negative=int(completion.negatives.sum()),
            )
            parts.write_completed(labels, completion, staged['out'], made)
        else:
            parts.write_completed_list(
                labels, completion, staged['out'], staged['provenance']
            )
        names = labels.classes, labels.images
        parts.write_findings(completion.proposals, *names, staged['review'], False)
        parts.write_findings(completion.disputed, *names, staged['disputed'], True)
        if truth is not None:
            from mmscpnet.visualization.completion_report import (
                write_completion_report,
            )

            write_completion_report(labels, completion, truth, staged, command)
        if html is not None:
            from mmscpnet.visualization.review_page import write_review_page

            page = page_folder / html.name
            write_review_page(
                labels, completion, photos, page, args.ann.name, args.max_photos
            )
            os.replace(page, html)


def show(files: dict, labels, completion) -> None:
    """Say what was proposed, what was not read, and where it is written."""
    from rich.console import Console

    console = Console(soft_wrap=True, markup=False, highlight=False)
    for index, reason in list(completion.errors.items())[:_SHOWN]:
        console.print(f'{labels.images[index]}: cannot be used: {reason}')
    if len(completion.errors) > _SHOWN:
        more = len(completion.errors) - _SHOWN
        console.print(f'and {more} more photos cannot be used')
    unknown = int((labels.states == -1).sum())
    console.print(
        f'{len(labels.images)} images, {labels.states.size - unknown} known labels, '
        f'{unknown} unknown'
    )
    if not unknown:
        console.print(
            'No label is unknown, so nothing is proposed. If images may have labels '
            'that they do not list, say --unlisted unknown'
        )
    console.print(
        f'{len(completion.proposals)} labels proposed'
        + (
            f', {int(completion.negatives.sum())} proposed as negative'
            if completion.negatives.any()
            else ''
        )
        + f'; {len(completion.disputed)} known labels disputed'
    )
    for path in files.values():
        console.print(f'written: {path}')


if __name__ == '__main__':
    main()
