"""Visual Genome to image labels (VG-200): ``visual_genome.py ROOT``.

ROOT holds ``objects.json`` and ``image_data.json``, unpacked. The labels are the 200
most frequent names of objects, or those of ``--categories``. The split is that of
``--train-list`` and ``--test-list``, files with an image a line; without them 10,000
images are drawn for testing by ``--seed``. With ``--label-index`` the labels come from
a file ``{"2345.jpg": [0, 17]}`` with the indices of ``--categories``, and
``objects.json`` is not read.

98,249 and 10,000 images have been published; later versions of Visual Genome and the
lists in circulation have fewer, which is reported. Writes ``train.json`` and
``test.json``; photos are named as in their archives, ``VG_100K_2/1.jpg``, to be
unpacked in ROOT/images.
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
from mmscpnet.datasets.formats.records import LabelRecord  # noqa: E402
from mmscpnet.datasets.formats.visual_genome import (  # noqa: E402
    COUNTS,
    NAMES,
    most_frequent,
    read_image_paths,
    read_label_index,
    read_object_names,
    read_split_list,
)

PUBLISHED = {
    'train': {'images': 98249, 'labels': 200},
    'test': {'images': 10000, 'labels': 200},
}


def parse_args(argv=None):
    parser = converter_parser(
        'Visual Genome: the most frequent object names as image labels',
        'folder with objects.json and image_data.json',
    )
    parser.add_argument(
        '--categories', type=Path, help='file with a category a line, in label order'
    )
    parser.add_argument(
        '--num-categories', type=int, default=200, help='without --categories'
    )
    parser.add_argument(
        '--called-by',
        choices=NAMES,
        default='names',
        help='what an object is called by: its names in lower case, or its synsets',
    )
    parser.add_argument(
        '--frequency',
        choices=COUNTS,
        default='objects',
        help='what makes a name frequent: the objects or the images that have it',
    )
    parser.add_argument('--label-index', type=Path, help='see above')
    parser.add_argument('--train-list', type=Path, help='images for training')
    parser.add_argument('--test-list', type=Path, help='images for testing')
    parser.add_argument(
        '--num-test', type=int, default=10000, help='without lists: how many to draw'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='without lists: seed of the draw'
    )
    args = parse_converter_args(parser, 'visual_genome.py', argv)
    if bool(args.train_list) != bool(args.test_list):
        parser.error('--train-list and --test-list go together')
    if args.label_index and not args.categories:
        parser.error('--label-index needs --categories, which name its indices')
    return args


def draw_split(paths: dict, num_test: int, seed: int) -> dict:
    """Images by split, drawn without replacement, each split in the order of ids."""
    if not 0 < num_test < len(paths):
        raise ValueError(
            f'--num-test: {num_test} of {len(paths)} images leave one split empty'
        )
    ids = np.array(sorted(paths))
    drawn = np.random.RandomState(seed).permutation(len(ids))
    parts = {'train': drawn[num_test:], 'test': drawn[:num_test]}
    return {
        split: [(int(ids[i]), paths[int(ids[i])]) for i in sorted(chosen)]
        for split, chosen in parts.items()
    }


def read_labels(args, paths: dict, inputs: list) -> tuple:
    """Class names, and label indices by image id."""
    if args.categories:
        classes = load_class_names(args.categories, '--categories')
        inputs.append(args.categories)
    if args.label_index:
        inputs.append(args.label_index)
        return classes, read_label_index(args.label_index, len(classes))
    path = args.root / 'objects.json'
    inputs.append(path)
    names = read_object_names(path, paths, args.called_by)
    if not args.categories:
        classes = most_frequent(names, args.num_categories, args.frequency)
    index_of = {name.lower(): index for index, name in enumerate(classes)}
    labels = {
        image: sorted(index_of[name] for name in counts if name in index_of)
        for image, counts in names.items()
    }
    if not any(labels.values()):
        raise ValueError(
            f'--categories: no object of {path} has one of these {args.called_by}'
        )
    return classes, labels


def read_split(args, paths: dict, inputs: list) -> dict:
    """Image ids and photos by split."""
    if not args.train_list:
        return draw_split(paths, args.num_test, args.seed)
    inputs += [args.train_list, args.test_list]
    split = {
        'train': read_split_list(args.train_list, paths),
        'test': read_split_list(args.test_list, paths),
    }
    both = set(split['train']) & set(split['test'])
    if both:
        raise ValueError(
            f'{args.train_list} and {args.test_list} share {len(both)} images, '
            f'{min(both)[1]} for one'
        )
    return split


def main(argv=None) -> None:
    """Convert."""
    args = parse_args(argv)
    inputs = [args.root / 'image_data.json']
    paths = read_image_paths(inputs[0])
    split = read_split(args, paths, inputs)
    classes, labels = read_labels(args, paths, inputs)
    if args.label_index and args.train_list:
        images = [image for part in split.values() for image in part]
        missing = [path for i, path in images if i not in labels]
        if missing:
            raise ValueError(
                f'{args.label_index}: {len(missing)} of {len(images)} listed images '
                f'have no entry, {missing[0]} for one'
            )
    with open_conversion(args, classes, classes_file='vg200_labels.txt') as run:
        for name, images in split.items():
            records = (LabelRecord(path, labels.get(i, ())) for i, path in images)
            run.write(name, records, len(images))
        options = ('called_by', 'frequency', 'num_test', 'seed')
        finish_conversion(
            run,
            args,
            inputs,
            expected=PUBLISHED,
            options={name: getattr(args, name) for name in options},
        )


if __name__ == '__main__':
    main()
