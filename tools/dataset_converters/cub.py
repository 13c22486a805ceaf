"""CUB-200-2011's 312 attributes to image labels: ``cub.py CUB_200_2011``.

The folder holds ``images.txt``, ``train_test_split.txt`` and
``attributes/image_attribute_labels.txt``, and ``attributes.txt`` there or beside it, as
the archive unpacks. A photo has an attribute if its annotator said so, however certain,
as in the single-positive benchmarks. Writes ``train.json`` and ``test.json``; photos
are named relative to ``images``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from mmscpnet.datasets.class_names import load_class_names  # noqa: E402
from mmscpnet.datasets.formats.command_line import (  # noqa: E402
    converter_parser,
    finish_conversion,
    open_conversion,
    parse_converter_args,
)
from mmscpnet.datasets.formats.cub_attributes import read_cub  # noqa: E402
from mmscpnet.datasets.formats.records import LabelRecord  # noqa: E402

PUBLISHED = {
    'train': {'images': 5994, 'labels': 312},
    'test': {'images': 5794, 'labels': 312},
}
# Positive labels in the test list that SPLC and SCPNet distribute, which takes every
# attribute said to be present, however certain.
TEST_POSITIVES = 182704


def parse_args(argv=None):
    parser = converter_parser(
        'CUB-200-2011: attributes as image labels', 'folder with images.txt'
    )
    parser.add_argument(
        '--min-certainty',
        type=int,
        choices=[1, 2, 3, 4],
        default=1,
        help='labels of a lower certainty are unknown: 1 not visible (all are known; '
        'the default), 2 guessing, 3 probably, 4 definitely',
    )
    parser.add_argument(
        '--class-names',
        type=Path,
        help='file with a name a line instead of has_bill_shape::curved_(up_or_down) '
        'and so on',
    )
    return parse_converter_args(parser, 'cub.py', argv)


def records(cub, rows, known):
    """The photos of these rows; with ``known``, their known negatives too."""
    for row in rows:
        if known is None:
            yield LabelRecord(cub.images[row], np.flatnonzero(cub.present[row]))
        else:
            positives = np.flatnonzero(cub.present[row] & known[row])
            negatives = np.flatnonzero(~cub.present[row] & known[row])
            yield LabelRecord(cub.images[row], positives, negatives)


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    cub = read_cub(args.root)
    names, inputs = cub.names, list(cub.files)
    if args.class_names:
        names = load_class_names(args.class_names, '--class-names')
        inputs.append(args.class_names)
        if len(names) != len(cub.names):
            raise ValueError(
                f'--class-names: {args.class_names} has {len(names)} names, there are '
                f'{len(cub.names)} attributes'
            )
    expected = {split: dict(counts) for split, counts in PUBLISHED.items()}
    known, unlisted = None, 'negative'
    if args.min_certainty > 1:
        known, unlisted = cub.certainty >= args.min_certainty, 'unknown'
    else:
        expected['test']['positives'] = TEST_POSITIVES
    with open_conversion(args, names, unlisted=unlisted) as run:
        for split, chosen in (('train', cub.is_train), ('test', ~cub.is_train)):
            rows = np.flatnonzero(chosen)
            run.write(split, records(cub, rows, known), len(rows))
        finish_conversion(
            run, args, inputs, expected=expected, min_certainty=args.min_certainty
        )


if __name__ == '__main__':
    main()
