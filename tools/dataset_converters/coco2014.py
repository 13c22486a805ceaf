"""COCO 2014 to image labels: ``coco2014.py ROOT [--images all]``.

ROOT holds ``annotations/instances_train2014.json`` and
``annotations/instances_val2014.json``, the official annotations unpacked. Writes
``train2014.json`` and ``val2014.json``; photos are named relative to ROOT/train2014 and
ROOT/val2014.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.datasets.formats.coco_json import (  # noqa: E402
    IMAGES,
    ORDERS,
    CocoInstances,
)
from mmscpnet.datasets.formats.command_line import (  # noqa: E402
    converter_parser,
    finish_conversion,
    open_conversion,
    parse_converter_args,
)

SPLITS = ('train2014', 'val2014')
PUBLISHED = {'annotated': (82081, 40137), 'all': (82783, 40504)}


def parse_args(argv=None):
    parser = converter_parser(
        'COCO 2014: image labels from instance annotations',
        'folder with annotations/instances_{train,val}2014.json',
    )
    parser.add_argument(
        '--images',
        choices=IMAGES,
        default='annotated',
        help='those with annotations (82,081 / 40,137; the default) or all '
        '(82,783 / 40,504)',
    )
    parser.add_argument(
        '--order',
        choices=ORDERS,
        default='images',
        help='order of the images: as listed in the file (default), as its annotations '
        'first mention them, or by their id as a string (Cole et al., LargeLoss)',
    )
    return parse_converter_args(parser, 'coco2014.py', argv)


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    files = [args.root / 'annotations' / f'instances_{name}.json' for name in SPLITS]
    train = CocoInstances(files[0])
    with open_conversion(args, train.classes) as run:
        for split, path in zip(SPLITS, files):
            # Categories that differ between the files would be an error.
            coco = train if split == SPLITS[0] else CocoInstances(path, train.classes)
            records = coco.records(args.images, args.order)
            run.write(split, records, coco.count(args.images))
        expected = {
            split: {'images': number, 'labels': 80}
            for split, number in zip(SPLITS, PUBLISHED[args.images])
        }
        finish_conversion(
            run, args, files, expected=expected, images=args.images, order=args.order
        )


if __name__ == '__main__':
    main()
