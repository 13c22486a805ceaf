"""Corel5k to image labels: ``corel5k.py ROOT`` (4,500 and 499 photos, 374 words).

ROOT holds ``classes.txt`` with a name a line, and ``train.txt`` and ``test.txt`` with
lines ``name.jpg,3 17``. Writes ``train.json`` and ``test.json``; photos are named
relative to ``images``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.datasets.formats.command_line import (  # noqa: E402
    converter_parser,
    finish_conversion,
    open_conversion,
    parse_converter_args,
)
from mmscpnet.datasets.formats.listed_set import ListedSet  # noqa: E402

# Images for training and testing, and words, by the least number of positives.
PUBLISHED = {0: (4500, 499, 374), 50: (4434, 490, 74)}


def parse_args(argv=None):
    parser = converter_parser('Corel5k: words as image labels', 'folder with the lists')
    parser.add_argument(
        '--min-positives',
        type=int,
        default=0,
        metavar='N',
        help='keep the words with at least N training photos, and the photos that have '
        'one; 50 leaves 74 words, 4,434 and 490 photos',
    )
    return parse_converter_args(parser, 'corel5k.py', argv)


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    source = ListedSet(args.root)
    if args.min_positives:
        source.keep_frequent(args.min_positives)
    with open_conversion(args, source.classes) as run:
        for split, records in source.splits.items():
            run.write(split, records)
        expected = {}
        if args.min_positives in PUBLISHED:
            *images, labels = PUBLISHED[args.min_positives]
            expected = {
                split: {'images': number, 'labels': labels}
                for split, number in zip(source.splits, images)
            }
        finish_conversion(
            run,
            args,
            source.files,
            expected=expected,
            min_positives=args.min_positives,
        )


if __name__ == '__main__':
    main()
