"""PASCAL VOC 2007 or 2012 to image labels: ``voc.py VOCdevkit/VOC2007 --year 2007``.

The folder holds ``Annotations`` and ``ImageSets/Main``, as the official archives
unpack (for 2007 both trainval and test). Writes ``trainval.json`` and ``test.json``
for 2007, ``train.json`` and ``val.json`` for 2012; photos are named relative to
``JPEGImages``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.datasets.class_sets import VOC20  # noqa: E402
from mmscpnet.datasets.formats.command_line import (  # noqa: E402
    converter_parser,
    finish_conversion,
    open_conversion,
    parse_converter_args,
)
from mmscpnet.datasets.formats.text_lines import read_lines  # noqa: E402
from mmscpnet.datasets.formats.voc_xml import (  # noqa: E402
    DIFFICULT,
    read_voc_folder,
    voc_files,
)

PUBLISHED = {
    '2007': {'trainval': 5011, 'test': 4952},
    '2012': {'train': 5717, 'val': 5823},
}


def parse_args(argv=None):
    parser = converter_parser(
        'PASCAL VOC: image labels from object annotations',
        'folder VOC2007 or VOC2012 with Annotations and ImageSets/Main',
    )
    parser.add_argument('--year', choices=list(PUBLISHED), required=True)
    parser.add_argument(
        '--difficult',
        choices=DIFFICULT,
        default='negative',
        help='what a label is whose objects are all marked difficult: negative (SARB '
        'and the single-positive benchmarks; the default), positive, or ignore, which '
        "leaves it unknown as VOC's own evaluation does",
    )
    return parse_converter_args(parser, 'voc.py', argv)


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    annotations = args.root / 'Annotations'
    unlisted = 'unknown' if args.difficult == 'ignore' else 'negative'
    inputs = []
    with open_conversion(args, VOC20, unlisted=unlisted) as run:
        for split in PUBLISHED[args.year]:
            listing = args.root / 'ImageSets' / 'Main' / f'{split}.txt'
            stems = [line.strip() for _, line in read_lines(listing)]
            records = read_voc_folder(annotations, VOC20, args.difficult, stems)
            run.write(split, records, len(stems))
            inputs += [listing, *voc_files(annotations, stems)]
        expected = {
            split: {'images': number} for split, number in PUBLISHED[args.year].items()
        }
        finish_conversion(
            run, args, inputs, expected=expected, difficult=args.difficult
        )


if __name__ == '__main__':
    main()
