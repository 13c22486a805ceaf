"""``tools/dataset_converters/nuswide.py``."""

import numpy as np
import pytest

from mmscpnet.datasets import read_label_list
from mmscpnet.datasets.class_sets import NUS81
from tests.shared import shared_file
from tests.tools.dataset_converters.runs import converted, labels

TRAIN = ['actor\\0001_211.jpg', 'zoo\\0002_322.jpg']
TEST = ['zoo\\0003_433.jpg']
POSITIVES = {0: ['animal', 'zebra'], 1: [], 2: ['airport']}


@pytest.fixture
def root(tmp_path):
    """The official folders with three photos."""
    root = tmp_path / 'nus'
    for folder in ('ImageList', 'Groundtruth/AllLabels', 'Groundtruth/TrainTestLabels'):
        (root / folder).mkdir(parents=True)
    for name, photos in (
        ('Imagelist', TRAIN + TEST),
        ('TrainImagelist', TRAIN),
        ('TestImagelist', TEST),
    ):
        (root / 'ImageList' / f'{name}.txt').write_text('\r\n'.join(photos) + '\r\n')
    for concept in NUS81:
        values = [f'{int(concept in POSITIVES[i])}\n' for i in range(3)]
        truth = root / 'Groundtruth'
        for name, part in (
            (f'AllLabels/Labels_{concept}', values),
            (f'TrainTestLabels/Labels_{concept}_Train', values[:2]),
            (f'TrainTestLabels/Labels_{concept}_Test', values[2:]),
        ):
            (truth / f'{name}.txt').write_text(''.join(part))
    return root


def test_official_split(tool, root, tmp_path):
    main = tool('dataset_converters/nuswide.py').main
    files, manifest = converted(main, root, tmp_path / 'out', '--crawl', 'official')
    assert labels(files['train']) == {
        'actor/0001_211.jpg': [1, 80],
        'zoo/0002_322.jpg': [],
    }
    assert labels(files['test']) == {'zoo/0003_433.jpg': [0]}
    assert len(manifest['inputs']) == 2 + 2 * 81


def test_lists_of_a_crawl(tool, root, tmp_path):
    # The training list has names, the other names and labels.
    (root / 'nus_train.txt').write_text('8_322_0a_m.jpg\n5_211_1b_m.jpg\n')
    (root / 'mine.txt').write_text('9_433_2c_m.jpg,3\n')
    options = ('--crawl', 'splc', '--test-list', str(root / 'mine.txt'))
    main = tool('dataset_converters/nuswide.py').main
    files, _ = converted(main, root, tmp_path / 'out', *options)
    assert labels(files['train']) == {'8_322_0a_m.jpg': [], '5_211_1b_m.jpg': [1, 80]}
    assert labels(files['test']) == {'9_433_2c_m.jpg': [3]}


def test_arrays_of_the_other_crawl(tool, tmp_path):
    for phase in ('train', 'val'):
        labels_ = np.zeros((1, 81))
        labels_[0, [4, 7]] = 1
        np.save(tmp_path / f'formatted_{phase}_labels.npy', labels_)
        np.save(
            tmp_path / f'formatted_{phase}_images.npy', np.array([f'{phase}/1.jpg'])
        )
    main = tool('dataset_converters/nuswide.py').main
    files, manifest = converted(
        main, tmp_path, tmp_path / 'out', '--crawl', 'largeloss'
    )
    assert labels(files['test']) == {'val/1.jpg': [4, 7]}
    assert manifest['crawl'] == 'largeloss'


def test_lists_go_with_their_crawl(tool, root, capsys):
    main = tool('dataset_converters/nuswide.py').main
    with pytest.raises(SystemExit):
        main([str(root), '--crawl', 'official', '--test-list', 'x'])
    assert 'go with --crawl splc' in capsys.readouterr().err


def test_published_test_list(tool, tmp_path):
    listing = shared_file('data/scpnet_lists/nus_val.txt')
    (tmp_path / 'train.txt').write_text('a.jpg,1\n')
    lists = ['--train-list', str(tmp_path / 'train.txt'), '--test-list', str(listing)]
    out = tmp_path / 'out'
    main = tool('dataset_converters/nuswide.py').main
    with pytest.raises(ValueError) as error:
        main([str(tmp_path), '--out', str(out), '--crawl', 'splc', *lists])
    # The test list is whole, the training list is not.
    assert 'train images: expected 119,103, found 1.' in str(error.value)
    assert 'test' not in str(error.value).split('. Is')[0]
    assert len(read_label_list(listing)) == 50720
