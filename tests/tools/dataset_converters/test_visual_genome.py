"""``tools/dataset_converters/visual_genome.py``."""

import json

import pytest

from mmscpnet.datasets import VisualGenome200
from tests.tools.dataset_converters.runs import converted, labels

URL = 'https://cs.stanford.edu/people/rak248'
NAMES = {1: ['tree', 'Man'], 2: ['tree', 'tree'], 3: ['bag'], 4: ['man'], 5: []}


@pytest.fixture
def root(tmp_path):
    """The unpacked JSON files with five photos."""
    root = tmp_path / 'vg'
    root.mkdir()
    images = [
        {
            'width': 8,
            'height': 8,
            'url': f'{URL}/VG_100K{"_2" if image % 2 else ""}/{image}.jpg',
            'image_id': image,
            'coco_id': None,
            'flickr_id': None,
        }
        for image in NAMES
    ]
    objects = [
        {
            'image_id': image,
            'objects': [
                {
                    'synsets': [f'{name.lower()}.n.01'],
                    'h': 1,
                    'object_id': i,
                    'merged_object_ids': [],
                    'names': [name],
                    'w': 1,
                    'y': 0,
                    'x': 0,
                }
                for i, name in enumerate(names)
            ],
            'image_url': images[image - 1]['url'],
        }
        for image, names in NAMES.items()
    ]
    (root / 'image_data.json').write_text(json.dumps(images))
    (root / 'objects.json').write_text(json.dumps(objects))
    return root


def test_most_frequent_names_and_a_drawn_split(tool, root, tmp_path):
    main = tool('dataset_converters/visual_genome.py').main
    options = ('--num-categories', '2', '--num-test', '2')
    files, manifest = converted(main, root, tmp_path / 'out', *options)
    assert files['train']['metainfo']['classes'] == ['tree', 'man']
    found = {**labels(files['train']), **labels(files['test'])}
    assert found == {
        'VG_100K_2/1.jpg': [0, 1],
        'VG_100K/2.jpg': [0],
        'VG_100K_2/3.jpg': [],
        'VG_100K/4.jpg': [1],
        'VG_100K_2/5.jpg': [],
    }
    assert len(files['test']['data_list']) == 2
    other = converted(main, root, tmp_path / 'out', *options, '--seed', '1')[0]
    assert labels(other['test']).keys() != labels(files['test']).keys()
    assert manifest['options']['seed'] == 0


def test_given_categories_lists_and_synsets(tool, root, tmp_path):
    for name, text in (
        ('categories.txt', 'man.n.01\nbag.n.01\n'),
        ('train.txt', '3.jpg\n1.jpg\n'),
        ('test.txt', '4.jpg\n'),
    ):
        (root / name).write_text(text)
    options = ['--called-by', 'synsets', '--categories', str(root / 'categories.txt')]
    for split in ('train', 'test'):
        options += [f'--{split}-list', str(root / f'{split}.txt')]
    main = tool('dataset_converters/visual_genome.py').main
    files, manifest = converted(main, root, tmp_path / 'out', *options)
    assert list(labels(files['train']).items()) == [
        ('VG_100K_2/3.jpg', [1]),
        ('VG_100K_2/1.jpg', [0]),
    ]
    assert labels(files['test']) == {'VG_100K/4.jpg': [0]}
    assert len(manifest['inputs']) == 5

    (root / 'test.txt').write_text('1.jpg\n')
    with pytest.raises(ValueError, match='share 1 images, VG_100K_2/1.jpg'):
        main([str(root), *options])


def test_labels_of_an_index(tool, root, tmp_path):
    (root / 'categories.txt').write_text('a\nb\n')
    (root / 'index.json').write_text('{"2.jpg": [1], "1.jpg": [0, 1]}')
    (root / 'objects.json').unlink()
    options = ['--categories', str(root / 'categories.txt'), '--num-test', '1']
    options += ['--label-index', str(root / 'index.json')]
    main = tool('dataset_converters/visual_genome.py').main
    files, _ = converted(main, root, tmp_path / 'out', *options)
    found = {**labels(files['train']), **labels(files['test'])}
    assert found['VG_100K/2.jpg'] == [1] and found['VG_100K_2/1.jpg'] == [0, 1]
    assert found['VG_100K/4.jpg'] == []
    for split, images in (('train', '1.jpg\n4.jpg'), ('test', '2.jpg')):
        (root / f'{split}.txt').write_text(images)
        options += [f'--{split}-list', str(root / f'{split}.txt')]
    with pytest.raises(ValueError, match=r'1 of 3 listed images have no entry, VG_.*4'):
        main([str(root), *options])


def test_the_dataset_finds_the_files(tool, root):
    main = tool('dataset_converters/visual_genome.py').main
    main([str(root), '--num-categories=2', '--num-test=2', '--allow-mismatch'])
    classes = str(root / 'multilabel' / 'vg200_labels.txt')
    dataset = VisualGenome200(
        data_root=str(root), split='train', classes=classes, pipeline=[]
    )
    assert list(dataset.CLASSES) == ['tree', 'man'] and len(dataset) == 3
    assert '/images/VG_100K' in dataset.get_data_info(0)['img_path']


def test_options_that_do_not_go_together(tool, root, capsys):
    main = tool('dataset_converters/visual_genome.py').main
    for options, message in (
        (['--train-list', 'x'], 'go together'),
        (['--label-index', 'x'], 'needs --categories'),
    ):
        with pytest.raises(SystemExit):
            main([str(root), *options])
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match='--num-test: 10000 of 5 images'):
        main([str(root)])
    (root / 'categories.txt').write_text('cow\n')
    with pytest.raises(ValueError, match='no object of .* has one of these names'):
        main([str(root), '--num-test=2', '--categories', str(root / 'categories.txt')])
