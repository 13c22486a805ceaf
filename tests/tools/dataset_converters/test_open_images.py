"""``tools/dataset_converters/open_images.py``."""

import pytest

from mmscpnet.datasets import OpenImages
from tests.tools.dataset_converters.runs import converted, labels

HEADER = 'ImageID,Source,LabelName,Confidence\n'
ROWS = {
    'train': """\
000026e7ee790996,verification,/m/04hgtk,0
000026e7ee790996,verification,/m/07j7r,1
000026e7ee790996,crowdsource-verification,/m/0bt9lr,1
000062a39995e348,verification,/m/0bt9lr,0
0000c64e1253d68f,verification,/m/07yv9,1
""",
    'validation': '0001eeaf4aed83f9,verification,/m/0bt9lr,1\n',
    'test': '000045257f66b9e2,verification,/m/07j7r,0\n',
}
NAMES = """\
/m/07j7r,Tree
/m/0bt9lr,Dog
/m/04hgtk,"Head, human"
/m/07yv9,Vehicle
"""


def layout(root, pattern='{}-annotations-human-imagelabels.csv', names=NAMES):
    for split, rows in ROWS.items():
        path = root / pattern.format(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + rows)
    (root / 'class-descriptions.csv').write_text(names)
    return root


def test_all_classes_of_v4(tool, tmp_path):
    main = tool('dataset_converters/open_images.py').main
    root = layout(tmp_path / 'oi')
    files, manifest = converted(main, root, tmp_path / 'out', '--version', 'v4')
    assert files['train']['metainfo'] == {
        'classes': ['Tree', 'Dog', 'Head, human', 'Vehicle'],
        'unlisted': 'unknown',
    }
    assert labels(files['train']) == {
        '000026e7ee790996.jpg': ([0, 1], [2]),
        '000062a39995e348.jpg': ([], [1]),
        '0000c64e1253d68f.jpg': [3],
    }
    assert manifest['splits']['train']['unknowns'] == 3 * 4 - 5
    assert manifest['rows']['train']['positive_rows'] == 3


def test_chosen_classes_of_v6(tool, tmp_path):
    root = layout(tmp_path / 'oi', 'oidv6-{}-annotations-human-imagelabels.csv')
    (root / 'class-descriptions.csv').unlink()
    names = root / 'oidv6-class-descriptions.csv'
    names.write_text('LabelName,DisplayName\n' + NAMES)
    choice = root / 'classes-trainable.txt'
    choice.write_text('/m/0bt9lr\n/m/07j7r\n')
    options = ('--version', 'v6', '--classes', str(choice), '--splits', 'train')
    main = tool('dataset_converters/open_images.py').main
    files, manifest = converted(main, root, tmp_path / 'out', *options)
    assert list(files) == ['train']
    assert files['train']['metainfo']['classes'] == ['Dog', 'Tree']
    assert labels(files['train']) == {
        '000026e7ee790996.jpg': [0, 1],
        '000062a39995e348.jpg': ([], [0]),
    }
    rows = manifest['rows']['train']
    assert rows['images_of_other_labels'] == 1 and rows['rows_of_other_labels'] == 2
    choice.write_text('/m/0bt9lr\n/m/none\n')
    with pytest.raises(ValueError, match='label /m/none and 0 more have no name'):
        main([str(root), *options])


def test_v3_layout_and_no_published_counts(tool, tmp_path, capsys):
    root = layout(tmp_path / 'oi', '{}/annotations-human.csv')
    main = tool('dataset_converters/open_images.py').main
    main([str(root), '--version', 'v3', '--check'])
    assert 'no published counts' in capsys.readouterr().out
    dataset = OpenImages(data_root=str(root), split='train', pipeline=[])
    assert dataset.get_targets().tolist() == [
        [1, 1, 0, -1],
        [-1, 0, -1, -1],
        [-1, -1, -1, 1],
    ]
    assert dataset.get_data_info(2)['img_path'] == f'{root}/train/0000c64e1253d68f.jpg'


def test_sorting(tool, tmp_path):
    root = layout(tmp_path / 'oi')
    main = tool('dataset_converters/open_images.py').main
    main([str(root), '--version', 'v5'])
    sorted_text = (root / 'multilabel' / 'train.json').read_text()
    path = root / 'train-annotations-human-imagelabels.csv'
    lines = ROWS['train'].splitlines(keepends=True)
    path.write_text(HEADER + ''.join(lines[::2] + lines[1::2]))
    with pytest.raises(ValueError, match='do not stand together'):
        main([str(root), '--version', 'v5', '--out', str(tmp_path / 'out')])
    assert not (tmp_path / 'out').exists()
    main([str(root), '--version', 'v5', '--out', str(tmp_path / 'out'), '--sort'])
    assert (tmp_path / 'out' / 'train.json').read_text() == sorted_text


def test_files_that_are_missing_or_too_many(tool, tmp_path):
    root = layout(tmp_path / 'oi')
    main = tool('dataset_converters/open_images.py').main
    rows = root / 'test-annotations-human-imagelabels.csv'
    other = root / 'oidv7-test-annotations-human-imagelabels.csv'
    other.write_bytes(rows.read_bytes())
    with pytest.raises(ValueError, match='several files of human-verified labels'):
        main([str(root), '--version', 'v5'])
    other.unlink()
    with pytest.raises(FileNotFoundError, match='-boxable'):
        main([str(root), '--version', 'v5', '--boxable'])
    choice = root / 'one.txt'
    choice.write_text('/m/04hgtk\n')
    with pytest.raises(ValueError, match='no row with one of the 1 classes'):
        main([str(root), '--version', 'v5', '--classes', str(choice)])
