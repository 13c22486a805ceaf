"""NUS-WIDE to image labels: ``nuswide.py ROOT --crawl official|splc|largeloss``.

The photos have to be fetched from Flickr, where many are gone, so that every group has
its own subset. ROOT holds, by ``--crawl``:

- ``official``: ``ImageList/{Train,Test}Imagelist.txt`` and
  ``Groundtruth/TrainTestLabels``, of all 269,648 photos;
- ``splc``: ``nus_train.txt`` and ``nus_val.txt`` (or ``--train-list`` and
  ``--test-list``), the lists of ASL and SPLC. A line is ``name.jpg,3 17``, or only
  ``name.jpg``: then the labels come from ``Groundtruth/AllLabels`` and
  ``ImageList/Imagelist.txt``, by Flickr's number in the name;
- ``largeloss``: ``formatted_{train,val}_{images,labels}.npy``, as Cole et al.
  distribute them and LargeLoss uses them.

Counts of two crawls cannot be compared, nor can results. Writes ``train.json`` and
``test.json``.
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
from mmscpnet.datasets.formats.nus_crawls import (  # noqa: E402
    read_formatted,
    read_listed,
    read_official,
)
from mmscpnet.datasets.formats.nus_wide import read_concepts  # noqa: E402

PUBLISHED = {
    'official': (161789, 107859),
    'splc': (119103, 50720),
    'largeloss': (150000, 60260),
}


def parse_args(argv=None):
    parser = converter_parser(
        'NUS-WIDE: 81 concepts, of one of the subsets in use', 'see above'
    )
    parser.epilog = __doc__.split('\n', 1)[1]
    parser.add_argument('--crawl', choices=list(PUBLISHED), required=True)
    parser.add_argument('--train-list', type=Path, help='for splc; ROOT/nus_train.txt')
    parser.add_argument('--test-list', type=Path, help='for splc; ROOT/nus_val.txt')
    args = parse_converter_args(parser, 'nuswide.py', argv)
    if args.crawl != 'splc' and (args.train_list or args.test_list):
        parser.error('--train-list and --test-list go with --crawl splc')
    return args


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    concepts = read_concepts(args.root)
    lists = (
        args.train_list or args.root / 'nus_train.txt',
        args.test_list or args.root / 'nus_val.txt',
    )
    inputs: list = []
    with open_conversion(args, concepts) as run:
        for split, part, listing in zip(('train', 'test'), ('Train', 'Test'), lists):
            if args.crawl == 'official':
                source = read_official(args.root, concepts, part)
            elif args.crawl == 'splc':
                source = read_listed(args.root, concepts, listing)
            else:
                phase = {'train': 'train', 'test': 'val'}[split]
                source = read_formatted(args.root, len(concepts), phase)
            run.write(split, source.records(), len(source.images))
            inputs += [path for path in source.files if path not in inputs]
        expected = {
            split: {'images': number, 'labels': 81}
            for split, number in zip(('train', 'test'), PUBLISHED[args.crawl])
        }
        finish_conversion(run, args, inputs, expected=expected, crawl=args.crawl)


if __name__ == '__main__':
    main()
