"""``tools/dataset_converters/cub.py``."""

import numpy as np
import pytest

from mmscpnet.datasets import CUBAttributes, read_label_list
from tests.shared import shared_file
from tests.tools.dataset_converters.runs import converted, labels


@pytest.fixture
def root(tmp_path):
    """The archive's folders with three photos and all 312 attributes."""
    root = tmp_path / 'CUB_200_2011'
    (root / 'attributes').mkdir(parents=True)
    names = [f'{i + 1} has_part_{i}::value_{i}\n' for i in range(312)]
    (tmp_path / 'attributes.txt').write_text(''.join(names))
    (root / 'images.txt').write_text('1 001.A/a.jpg\n2 001.A/b.jpg\n3 002.B/c.jpg\n')
    (root / 'train_test_split.txt').write_text('1 0\n2 1\n3 1\n')
    rows = [
        f'{image} {attribute} {int(attribute in (image, 300))} '
        f'{1 + attribute % 4} 7.7080\n'
        for image in (1, 2, 3)
        for attribute in range(1, 313)
    ]
    # As in the original, a line has a field too many.
    rows[3] = rows[3].replace(' 7.7080', ' 0 7.7080')
    (root / 'attributes' / 'image_attribute_labels.txt').write_text(''.join(rows))
    return root


def test_all_known(tool, root, tmp_path):
    main = tool('dataset_converters/cub.py').main
    files, manifest = converted(main, root, tmp_path / 'out')
    assert labels(files['train']) == {
        '001.A/b.jpg': [1, 299],
        '002.B/c.jpg': [2, 299],
    }
    assert labels(files['test']) == {'001.A/a.jpg': [0, 299]}
    assert files['train']['metainfo']['classes'][2] == 'has_part_2::value_2'
    assert manifest['splits']['train']['unknowns'] == 0


def test_uncertain_is_unknown(tool, root, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text(''.join(f'name {i}\n' for i in range(312)))
    options = ('--min-certainty', '3', '--class-names', str(names))
    main = tool('dataset_converters/cub.py').main
    files, manifest = converted(main, root, tmp_path / 'out', *options)
    certain = [i for i in range(312) if 1 + (i + 1) % 4 >= 3]
    # Attribute 2 (index 1) is certain, 300 (index 299) is not.
    assert labels(files['train'])['001.A/b.jpg'] == (
        [1],
        [i for i in certain if i != 1],
    )
    assert files['test']['metainfo']['classes'][5] == 'name 5'
    assert manifest['splits']['train']['unknowns'] == 2 * (312 - len(certain))
    names.write_text('one\n')
    with pytest.raises(ValueError, match='has 1 names, there are 312 attributes'):
        main([str(root), *options])


def test_the_dataset_finds_the_files(tool, root):
    tool('dataset_converters/cub.py').main([str(root), '--allow-mismatch'])
    dataset = CUBAttributes(data_root=str(root), split='test', pipeline=[])
    assert np.flatnonzero(dataset.get_targets()[0] == 1).tolist() == [0, 299]
    assert dataset.get_data_info(0)['img_path'] == f'{root}/images/001.A/a.jpg'


def test_published_counts_are_those_of_the_lists(tool):
    module = tool('dataset_converters/cub.py')
    found = {
        split: read_label_list(shared_file(f'data/scpnet_lists/cub_{name}.txt'))
        for split, name in (('train', 'train'), ('test', 'val'))
    }
    for split, entries in found.items():
        assert len(entries) == module.PUBLISHED[split]['images']
    assert sum(len(e.positives) for e in found['test']) == module.TEST_POSITIVES
    # Of the first photo, attribute 5 is present with a certainty of 3, and 1 to 4
    # are absent: the list has index 4 and none before it.
    assert min(found['test'][0].positives) == 4
