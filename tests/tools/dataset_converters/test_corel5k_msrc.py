"""``corel5k.py`` and ``msrc.py`` in ``tools/dataset_converters``, on real sets too."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from mmscpnet.datasets import MSRC, Corel5k, MultiLabelListDataset
from tests.shared import ROOT, shared_file
from tests.tools.dataset_converters.runs import converted, labels


@pytest.fixture
def root(tmp_path):
    root = tmp_path / 'set'
    root.mkdir()
    (root / 'classes.txt').write_text('city\nsky\nsun\n')
    (root / 'train.txt').write_text('1000.jpg,0 1\n1003.jpg,1\n1004.jpg,2\n')
    (root / 'test.txt').write_text('1001.jpg,2\n1002.jpg,0 1\n')
    return root


@pytest.mark.parametrize('name', ['corel5k', 'msrc'])
def test_miniature(tool, root, tmp_path, name):
    main = tool(f'dataset_converters/{name}.py').main
    files, _ = converted(main, root, tmp_path / 'out')
    assert labels(files['train']) == {
        '1000.jpg': [0, 1],
        '1003.jpg': [1],
        '1004.jpg': [2],
    }
    assert labels(files['test']) == {'1001.jpg': [2], '1002.jpg': [0, 1]}


def test_frequent_words(tool, root, tmp_path):
    # How many words have two photos has not been published.
    out = tmp_path / 'out'
    tool('dataset_converters/corel5k.py').main(
        [str(root), '--out', str(out), '--min-positives', '2']
    )
    content = json.loads((out / 'train.json').read_text())
    assert content['metainfo']['classes'] == ['sky']
    assert labels(content) == {'1000.jpg': [0], '1003.jpg': [0]}


@pytest.mark.parametrize(
    ('name', 'options', 'dataset', 'suffix'),
    [
        ('corel5k', [], Corel5k, ''),
        ('corel5k', ['--min-positives', '50'], Corel5k, '_74'),
        ('msrc', [], MSRC, ''),
    ],
)
def test_real_set(tool, tmp_path, name, options, dataset, suffix):
    """The converted files say what the lists say, and the photos are there."""
    folder = shared_file(f'data/{name}')
    # The published counts are compared: the real set has them.
    tool(f'dataset_converters/{name}.py').main(
        [str(folder), '--out', str(tmp_path / 'out'), *options]
    )
    for split in ('train', 'test'):
        found = dataset(
            data_root=str(folder),
            split=split,
            ann_file=str(tmp_path / 'out' / f'{split}.json'),
            pipeline=[dict(type='LoadImageFromFile')],
        )
        listed = MultiLabelListDataset(
            data_root=str(folder),
            ann_file=f'{split}{suffix}.txt',
            data_prefix='images',
            classes=str(folder / f'classes{suffix}.txt'),
            pipeline=[],
        )
        assert (found.get_targets() == listed.get_targets()).all()
        infos = [found.get_data_info(i) for i in range(0, len(found), 50)]
        assert all(Image.open(info['img_path']).size for info in infos)
        assert found[0]['img'].ndim == 3


def test_from_a_shell(root, tmp_path):
    program = ROOT / 'tools' / 'dataset_converters' / 'msrc.py'
    command = [sys.executable, str(program), str(root), '--allow-mismatch']
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert '355' in run.stderr and 'DIFFERS' in run.stderr
    manifest = json.loads((root / 'multilabel' / 'manifest.json').read_text())
    assert manifest['command'][1:] == [str(root), '--allow-mismatch']
