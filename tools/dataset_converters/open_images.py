"""Open Images, V3 and later, to image labels: ``open_images.py ROOT --version v6``.

ROOT holds the human-verified image-level labels of each split
(``*train-annotations-human-imagelabels.csv``, ``*validation-...`` or ``*val-...``,
``*test-...``; in V3 ``train/annotations-human.csv`` and so on) and
``*class-descriptions.csv``. A label that a person has verified is positive, one that
was refuted is negative, of all others nothing is known. Images without a label of the
chosen classes are left out.

Files are read a row at a time, so memory does not grow with them but for eight bytes an
image. Writes a JSON file for each split; photos are named ``<ImageID>.jpg``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from itertools import chain  # noqa: E402

import rich.progress  # noqa: E402
from rich.console import Console  # noqa: E402

from mmscpnet.datasets.formats.command_line import (  # noqa: E402
    converter_parser,
    finish_conversion,
    open_conversion,
    parse_converter_args,
)
from mmscpnet.datasets.formats.external_sort import sorted_lines  # noqa: E402
from mmscpnet.datasets.formats.open_images_csv import (  # noqa: E402
    CONFLICTS,
    OpenImagesLabels,
    read_class_descriptions,
    read_label_choice,
)

VERSIONS = ('v3', 'v4', 'v5', 'v6', 'v7')
SPLITS = {
    'train': ('train',),
    'validation': ('validation', 'val'),
    'test': ('test',),
}
# Rows that verify and rows that refute a label, of all classes together.
PUBLISHED = {
    'v4': {
        'train': (13444569, 14449720),
        'validation': (365772, 185618),
        'test': (1105052, 562347),
    },
    'v6': {
        'train': (19856086, 37668266),
        'validation': (367263, 228076),
        'test': (1110124, 689759),
    },
}


def parse_args(argv=None):
    parser = converter_parser(
        'Open Images: human-verified image-level labels', 'folder with the CSV files'
    )
    parser.add_argument('--version', choices=VERSIONS, required=True)
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=list(SPLITS),
        default=list(SPLITS),
        help='which to convert; all by default',
    )
    parser.add_argument(
        '--boxable',
        action='store_true',
        help='read the files ...-imagelabels-boxable.csv, which have the classes with '
        'boxes only',
    )
    parser.add_argument(
        '--descriptions',
        type=Path,
        help='names of the classes; ROOT/*class-descriptions.csv by default',
    )
    parser.add_argument(
        '--classes',
        type=Path,
        help='file whose first column has the labels to convert (/m/...), such as '
        'classes-trainable.txt or class-descriptions-boxable.csv; all that are '
        'described by default',
    )
    parser.add_argument(
        '--conflicts',
        choices=CONFLICTS,
        default='unknown',
        help='what becomes of a label that an image has both verified and refuted',
    )
    parser.add_argument(
        '--sort',
        action='store_true',
        help='sort the rows first, for files in which the rows of an image do not '
        'stand together',
    )
    return parse_converter_args(parser, 'open_images.py', argv)


def find_one(root: Path, patterns, what: str) -> Path:
    """The only file that one of the patterns fits."""
    found = sorted({path for pattern in patterns for path in root.glob(pattern)})
    if not found:
        raise FileNotFoundError(
            f'there is no {what} in {root}; looked for {", ".join(patterns)}'
        )
    if len(found) > 1:
        raise ValueError(
            f'{root} has several files of {what}: '
            f'{", ".join(path.name for path in found)}; keep one'
        )
    return found[0]


def find_rows(root: Path, split: str, boxable: bool) -> Path:
    """The file of a split's rows."""
    ending = '-boxable' if boxable else ''
    patterns = [
        pattern
        for name in SPLITS[split]
        for pattern in (
            f'{name}-annotations-human-imagelabels{ending}.csv',
            f'oidv*-{name}-annotations-human-imagelabels{ending}.csv',
            f'{name}/annotations-human{ending}.csv',
        )
    ]
    return find_one(root, patterns, f'human-verified labels of {split}')


def read_classes(args) -> tuple:
    """Label index by machine label, the class names, and the files read."""
    path = args.descriptions or find_one(
        args.root, ['class-descriptions.csv', 'oidv*-class-descriptions.csv'], 'names'
    )
    names = read_class_descriptions(path)
    if args.classes is None:
        return {label: i for i, label in enumerate(names)}, list(names.values()), [path]
    chosen = read_label_choice(args.classes)
    unnamed = [label for label in chosen if label not in names]
    if unnamed:
        raise ValueError(
            f'{args.classes}: label {unnamed[0]} and {len(unnamed) - 1} more have no '
            f'name in {path}'
        )
    index_of = {label: i for i, label in enumerate(chosen)}
    return index_of, [names[label] for label in chosen], [path, args.classes]


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    index_of, classes, inputs = read_classes(args)
    rows = {}
    with open_conversion(args, classes, unlisted='unknown') as run:
        for split in args.splits:
            path = find_rows(args.root, split, args.boxable)
            inputs.append(path)
            with rich.progress.open(
                path,
                'r',
                encoding='utf-8',
                newline='',
                description=f'Converting {split}',
                console=Console(stderr=True),
            ) as file:
                lines = file
                if args.sort:
                    lines = chain([file.readline()], sorted_lines(file))
                labels = OpenImagesLabels(lines, index_of, path, args.conflicts)
                run.write(split, labels, bar=False)
            rows[split] = labels.rows
            if not run.splits[split]['images']:
                raise ValueError(
                    f'{path} has no row with one of the {len(classes)} classes'
                )
        published = {} if args.boxable else PUBLISHED.get(args.version, {})
        expected = {
            split: {'positive_rows': counts[0], 'negative_rows': counts[1]}
            for split, counts in published.items()
            if split in args.splits
        }
        finish_conversion(
            run,
            args,
            inputs,
            expected=expected,
            found=rows,
            version=args.version,
            rows=rows,
        )


if __name__ == '__main__':
    main()
