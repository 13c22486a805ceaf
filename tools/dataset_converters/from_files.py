"""Your own labels: ``from_files.py csv|list|coco|voc|yolo|folders|review SOURCE``.

Writes ``train.json`` (and ``val.json``), ``classes.txt`` and ``manifest.json`` to
``multilabel`` beside SOURCE, and shows the lines that a config needs. Photos stay where
they are.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.datasets.class_names import load_class_names  # noqa: E402
from mmscpnet.datasets.formats import Conversion, own_rows  # noqa: E402
from mmscpnet.datasets.formats.conversion import refuse_used_folder  # noqa: E402
from mmscpnet.datasets.formats.own_data import (  # noqa: E402
    READERS,
    common_classes,
    config_lines,
    photo_folder,
)
from mmscpnet.datasets.formats.photo_files import verify_photos  # noqa: E402
from mmscpnet.datasets.formats.text_lines import read_lines  # noqa: E402
from mmscpnet.datasets.formats.voc_xml import DIFFICULT  # noqa: E402

HELP = dict(
    csv='a column a class with 1, 0 or nothing (unknown), or a column with names',
    list='lines "name.jpg,3 17", or names in place of the indices',
    coco='JSON of instances, as COCO has it',
    voc='folder of XML files, as PASCAL VOC has it',
    yolo='folder of text files, an object a line',
    folders='a folder per class; a photo may be in several',
    review='decisions saved by the page of tools/complete_labels.py --html',
)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='FORMAT')
    for kind, text in HELP.items():
        sub = kinds.add_parser(kind, help=text, description=text)
        sub.add_argument('source', type=Path, help='file or folder with the labels')
        _add_own_options(kind, sub)
        _add_common_options(kind, sub)
    args = parser.parse_args(argv)
    if args.kind == 'csv' and args.labels_column is None:
        if args.unlisted is not None or args.separator is not None:
            parser.error(
                '--unlisted and --separator go with --labels-column: where every class '
                'has a column, its cells say what is known'
            )
    if args.kind == 'voc' and args.difficult == 'ignore' and args.unlisted is not None:
        parser.error('--unlisted does not go with --difficult ignore, which decides it')
    if args.seed is not None and args.val_ratio is None:
        parser.error('--seed goes with --val-ratio')
    if args.val_ratio is not None and not 0 < args.val_ratio < 1:
        parser.error(f'--val-ratio must lie between 0 and 1, found {args.val_ratio}')
    if getattr(args, 'val_images', None) is not None and args.val is None:
        parser.error('--val-images goes with --val')
    if args.kind == 'csv' and len(args.delimiter) != 1:
        parser.error(
            f'--delimiter must be one character, found {args.delimiter!r} (a tab is '
            "$'\\t' in bash)"
        )
    if args.source.name in ('', '..'):
        # The folder beside "." is outside of it.
        args.source = args.source.resolve()
    if args.kind == 'review':
        # The decisions lie in a folder for downloads.
        args.images = args.images or args.ann.parent
        args.out = args.out or args.ann.parent / 'reviewed'
    args.out = args.out or args.source.parent / 'multilabel'
    arguments = sys.argv[1:] if argv is None else argv
    args.command = ['tools/dataset_converters/from_files.py', *map(str, arguments)]
    return args


def _add_own_options(kind: str, sub: argparse.ArgumentParser) -> None:
    """The options of one format; their names are those of its reader."""
    if kind == 'csv':
        sub.add_argument('--delimiter', default=',', help='between the columns [,]')
        sub.add_argument(
            '--image-column', metavar='NAME', help='with the file names [the first]'
        )
        sub.add_argument(
            '--labels-column', metavar='NAME', help='with the names of the labels'
        )
        sub.add_argument('--separator', help='between the names [;]')
    elif kind == 'list':
        sub.add_argument(
            '--names', action='store_true', help='labels are names, not indices'
        )
        sub.add_argument('--separator', help='between the labels [blanks]')
    elif kind == 'voc':
        sub.add_argument(
            '--difficult',
            choices=DIFFICULT,
            default='negative',
            help='a label whose objects are all difficult is negative [default], '
            'positive, or unknown (ignore)',
        )
    elif kind == 'review':
        sub.add_argument(
            '--ann',
            type=Path,
            required=True,
            help='annotation file that was reviewed: JSON, completed or not, or the '
            'list that was completed, with --classes. Accepted labels become positive, '
            'rejected ones negative, proposals without a decision unknown',
        )
    elif kind == 'folders':
        sub.add_argument(
            '--same',
            choices=('name', 'content'),
            default='name',
            help='files of the same name [default] or content are one photo',
        )


def _add_common_options(kind: str, sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        '--classes',
        help='file with a name a line, or a known set; otherwise the columns, folders '
        'or categories, or the names that occur',
    )
    if kind != 'folders':
        sub.add_argument('--images', type=Path, help='folder of the photos')
        sub.add_argument('--val-images', type=Path, help='the same for --val')
        sub.add_argument(
            '--duplicates',
            choices=own_rows.DUPLICATES,
            default='refuse',
            help='an image that occurs twice is an error [default], or has the labels '
            'of both',
        )
    sub.add_argument(
        '--unlisted',
        choices=('negative', 'unknown'),
        help='what labels are that an image does not list [negative]',
    )
    sub.add_argument(
        '--empty',
        choices=own_rows.EMPTY,
        # Those of a reviewed file were accepted before.
        default='keep' if kind == 'review' else 'refuse',
        help='an image without any label is an error, is kept, or is dropped '
        '[%(default)s]',
    )
    sub.add_argument(
        '--verify-images', action='store_true', help='open every photo and decode it'
    )
    part = sub.add_mutually_exclusive_group()
    part.add_argument('--val', type=Path, help='a second source: the validation set')
    part.add_argument(
        '--val-ratio', type=float, help='put this share of the images, by chance, in it'
    )
    part.add_argument(
        '--val-list', type=Path, help='put the images in it that this file names'
    )
    sub.add_argument('--seed', type=int, help='of --val-ratio [0]')
    beside = 'reviewed by ANN' if kind == 'review' else 'multilabel by SOURCE'
    sub.add_argument('--out', type=Path, help=f'folder to write [{beside}]')
    sub.add_argument(
        '--overwrite', action='store_true', help='replace what an earlier run wrote'
    )


def read_splits(args) -> tuple[dict, list, dict, bool, list, dict]:
    """Records by split, classes, folders of photos by split, states, files, extra."""
    given = (
        None if args.classes is None else load_class_names(args.classes, '--classes')
    )
    names = dict(
        csv=('delimiter', 'image_column', 'labels_column', 'separator'),
        list=('names', 'separator'),
        voc=('difficult',),
        folders=('same',),
        review=('ann', 'unlisted'),
    ).get(args.kind, ())
    options = {name: getattr(args, name) for name in names}
    if args.kind == 'csv' and args.separator is None:
        options['separator'] = ';'
    paths = {'train': args.source, **({'val': args.val} if args.val else {})}
    wanted = dict(train=getattr(args, 'images', None), val=None)
    wanted['val'] = getattr(args, 'val_images', None) or wanted['train']
    photos, sources = {}, {}
    for split, path in paths.items():
        photos[split] = wanted[split] or photo_folder(args.kind, path)
        sources[split] = READERS[args.kind](path, photos[split], given, **options)
    classes = given or common_classes(list(sources.values()))
    if classes is None:
        rows = [row for source in sources.values() for row in source.rows]
        classes = own_rows.names_in(rows)
    splits = {
        split: own_rows.resolve_rows(
            source.rows, classes, args.empty, getattr(args, 'duplicates', 'refuse')
        )
        for split, source in sources.items()
    }
    files = [path for source in sources.values() for path in source.files]
    states = any(source.states for source in sources.values())
    extra = {k: v for source in sources.values() for k, v in source.extra.items()}
    return splits, classes, photos, states, files, extra


def hold_out(args, records: list) -> dict:
    """Take the validation set out of the records, if it is wanted."""
    if args.val_ratio is not None:
        images = [own.record.img_path for own in records]
        order = np.random.default_rng(args.seed or 0).permutation(len(images))
        number = round(args.val_ratio * len(images))
        names = {images[i] for i in order[:number].tolist()}
        where = f'--val-ratio {args.val_ratio}'
    else:
        images = {own.record.img_path for own in records}
        names = set()
        for number, line in read_lines(args.val_list):
            name, where = line.strip(), f'{args.val_list}:{number}'
            if name not in images:
                raise ValueError(f'{where}: {args.source} has no image {name}')
            names.add(name)
        where = str(args.val_list)
    train, val = own_rows.split_records(records, names.__contains__)
    if not train or not val:
        raise ValueError(
            f'{where}: of {len(images)} images, {len(val)} would be for validation and '
            f'{len(train)} for training'
        )
    return dict(train=train, val=val)


def check_overlap(splits: dict, photos: dict) -> None:
    """Refuse a photo that is used for training and for validation."""
    place = {
        photos['train'] / own.record.img_path: own.where for own in splits['train']
    }
    for own in splits['val']:
        path = photos['val'] / own.record.img_path
        if path in place:
            raise ValueError(
                f'{own.where}: {own.record.img_path} is a training image already, in '
                f'{place[path]}'
            )


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    refuse_used_folder(args.out, args.overwrite)
    splits, classes, photos, states, files, extra = read_splits(args)
    if args.val is not None:
        check_overlap(splits, photos)
    elif args.val_ratio is not None or args.val_list is not None:
        splits = hold_out(args, splits['train'])
        photos['val'] = photos['train']
    if args.verify_images:
        verify_photos(
            [
                (own.where, photos[split] / own.record.img_path)
                for split, records in splits.items()
                for own in records
            ]
        )
    for split, records in splits.items():
        if not records:
            source = args.source if split == 'train' else args.val
            raise ValueError(f'{source}: no image is left for {split}')
    stale = [
        args.out / f'{split}.json' for split in ('train', 'val') if split not in splits
    ]
    for path in filter(Path.exists, stale):
        raise ValueError(
            f'{path} is of an earlier run and would stay beside the new labels; remove '
            'it, or choose another --out'
        )
    unlisted = args.unlisted or 'negative'
    if states:
        complete = all(
            len(own.record.positives) + len(own.record.negatives) == len(classes)
            for records in splits.values()
            for own in records
        )
        unlisted = 'negative' if complete else 'unknown'
    with Conversion(
        args.out, classes, args.command, unlisted=unlisted, overwrite=args.overwrite
    ) as run:
        for split, records in splits.items():
            rows = (own.record for own in records)
            if unlisted == 'negative':
                rows = (record._replace(negatives=()) for record in rows)
            run.write(split, rows, len(records), extra=extra)
        inputs = files + ([args.val_list] if args.val_list else [])
        run.finish(inputs, format=args.kind, unlisted=unlisted)
    console = Console()
    if args.out == Path('data/mine/multilabel'):
        console.print('The configs in configs/own_data find these files as they are.')
    console.print('For another config, behind its _base_:\n')
    for line in config_lines(args.out, photos, unlisted):
        # As it is, to be copied.
        console.out(line, highlight=False)
    console.print(
        f'\nThe label graph of an SCPNet config takes a topk of 1 to {len(classes)}, '
        'the number of labels:\nmodel=dict(head=dict(label_graph=dict(topk=...)))',
        highlight=False,
    )


if __name__ == '__main__':
    main()
