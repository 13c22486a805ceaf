"""MSRC v2 to image labels: ``msrc.py ROOT`` (355 and 236 photos, 23 classes).

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

PUBLISHED = {
    'train': {'images': 355, 'labels': 23},
    'test': {'images': 236, 'labels': 23},
}


def parse_args(argv=None):
    parser = converter_parser('MSRC v2: image labels', 'folder with the lists')
    return parse_converter_args(parser, 'msrc.py', argv)


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    source = ListedSet(args.root)
    with open_conversion(args, source.classes) as run:
        for split, records in source.splits.items():
            run.write(split, records)
        finish_conversion(run, args, source.files, expected=PUBLISHED)


if __name__ == '__main__':
    main()
