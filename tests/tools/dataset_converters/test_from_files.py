"""``tools/dataset_converters/from_files.py``: each start, and what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmscpnet.datasets import IncompleteMultiLabelDataset
from mmscpnet.utils.checkpoint import runner_globals
from tests.shared import ROOT
from tests.shrunken_configs import shrink
from tests.tools.dataset_converters.runs import labels

PROGRAM = 'dataset_converters/from_files.py'
PHOTOS = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg']
# Labels of the photos, of 'cat', 'dog' and 'sea'.
TRUTH = [[0], [0, 2], [1], [1, 2], [0, 1], [2]]
NAMES = ['cat', 'dog', 'sea']
EXPECTED = dict(zip(PHOTOS, TRUTH))


@pytest.fixture
def main(tool):
    return tool(PROGRAM).main


@pytest.fixture
def root(tmp_path):
    """A folder with photos in ``images``, and every kind of annotation beside."""
    root = tmp_path / 'set'
    rng = np.random.default_rng(0)
    for folder in ('images', 'Annotations', 'labels'):
        (root / folder).mkdir(parents=True)
    for photo in PHOTOS:
        pixels = rng.integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(root / 'images' / photo)
    items = list(zip(PHOTOS, TRUTH))
    matrix = [f'{p},{",".join(str(int(c in t)) for c in range(3))}' for p, t in items]
    named = [f'{p},{";".join(NAMES[c] for c in t)}' for p, t in items]
    (root / 'matrix.csv').write_text('\n'.join(['file,cat,dog,sea', *matrix]))
    (root / 'named.csv').write_text('\n'.join(['file,tags', *named]))
    (root / 'names.txt').write_text('\n'.join(named).replace(';', ' '))
    lines = [f'{p},{" ".join(map(str, t))}' for p, t in items]
    (root / 'indices.txt').write_text('\n'.join(lines))
    (root / 'classes.txt').write_text('\n'.join(NAMES))
    coco = dict(
        images=[dict(id=i, file_name=p) for i, p in enumerate(PHOTOS)],
        categories=[dict(id=7 + c, name=name) for c, name in enumerate(NAMES)],
        annotations=[
            dict(image_id=i, category_id=7 + c) for i, t in enumerate(TRUTH) for c in t
        ],
    )
    (root / 'coco.json').write_text(json.dumps(coco))
    for photo, truth in items:
        stem = photo[:-4]
        objects = ''.join(f'<object><name>{NAMES[c]}</name></object>' for c in truth)
        (root / 'Annotations' / f'{stem}.xml').write_text(
            f'<annotation><filename>{photo}</filename>{objects}</annotation>'
        )
        rows = [f'{c} 0.5 0.5 0.1 0.1' for c in truth]
        (root / 'labels' / f'{stem}.txt').write_text('\n'.join(rows))
        for c in truth:
            folder = root / 'folders' / NAMES[c]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / photo).write_bytes((root / 'images' / photo).read_bytes())
    return root


STARTS = {
    'matrix': 'csv matrix.csv --images images',
    'named': 'csv named.csv --labels-column tags --images images',
    'indices': 'list indices.txt --classes classes.txt --images images',
    'names': 'list names.txt --names --images images',
    'coco': 'coco coco.json --images images',
    'voc': 'voc Annotations --images images',
    'yolo': 'yolo labels --classes classes.txt',
    'folders': 'folders folders',
}


def run(main, root, command, *more):
    """Run with the paths inside ``root``; the files that were written."""
    kind, *words = command.split()
    words = [str(root / w) if (root / w).exists() else w for w in words]
    main([kind, *words, *map(str, more)])
    out = root / 'multilabel'
    return {path.stem: json.loads(path.read_text()) for path in out.glob('*.json')}


@pytest.mark.parametrize('start', list(STARTS))
def test_every_start_gives_the_same_labels(main, root, start, capsys):
    files = run(main, root, STARTS[start], '--verify-images')
    printed = capsys.readouterr().out
    found = {name.split('/')[-1]: v for name, v in labels(files['train']).items()}
    assert found == EXPECTED
    assert files['train']['metainfo'] == dict(classes=NAMES, unlisted='negative')
    assert (root / 'multilabel' / 'classes.txt').read_text().split() == NAMES
    manifest = files['manifest']
    assert manifest['splits']['train']['positives'] == 9
    assert manifest['format'] == STARTS[start].split()[0]
    assert manifest['command'][1] == manifest['format']
    if start != 'folders':
        assert manifest['inputs']
    assert 'takes a topk of 1 to 3' in printed
    # The lines that are shown are those of a config, and lead to the photos.
    lines = [line for line in printed.splitlines() if ' = ' in line]
    config = Config.fromstring('\n'.join(lines), '.py')
    assert config.classes == str(root / 'multilabel' / 'classes.txt')
    assert config.model.head.classes == config.classes
    settings = dict(config.train_dataloader.dataset)
    assert settings.pop('type') == 'IncompleteMultiLabelDataset'
    dataset = IncompleteMultiLabelDataset(
        **settings, pipeline=[dict(type='LoadImageFromFile')]
    )
    assert dataset[0]['img'].shape == (48, 64, 3)
    assert sorted(dataset.get_targets().sum(axis=0)) == [3, 3, 3]


def test_unknown_cells(main, root):
    (root / 'matrix.csv').write_text('file,cat,dog\na.jpg,1,\nb.jpg,,0\nc.jpg,1,1\n')
    files = run(main, root, STARTS['matrix'])
    assert files['train']['metainfo']['unlisted'] == 'unknown'
    assert labels(files['train']) == {
        'a.jpg': [0],
        'b.jpg': ([], [1]),
        'c.jpg': [0, 1],
    }


def test_unlisted_is_up_to_the_user(main, root):
    files = run(main, root, STARTS['names'], '--unlisted', 'unknown')
    assert files['train']['metainfo']['unlisted'] == 'unknown'


def test_difficult_objects(main, root):
    path = root / 'Annotations' / 'a.xml'
    text = path.read_text().replace('</name>', '</name><difficult>1</difficult>')
    path.write_text(text)
    files = run(main, root, STARTS['voc'], '--difficult', 'ignore')
    assert files['train']['metainfo']['unlisted'] == 'unknown'
    assert labels(files['train'])['a.jpg'] == ([], [1, 2])
    assert labels(files['train'])['b.jpg'] == ([0, 2], [1])


def test_validation_set_by_chance(main, root):
    splits = []
    for seed in (0, 0, 1):
        more = ['--val-ratio', '0.34', '--seed', seed, '--overwrite']
        files = run(main, root, STARTS['coco'], *more)
        train, val = labels(files['train']), labels(files['val'])
        assert len(val) == 2 and {**train, **val} == EXPECTED
        splits.append(list(val))
    assert splits[0] == splits[1] != splits[2]


def test_validation_set_by_a_list(main, root):
    (root / 'val.txt').write_text('d.jpg\nb.jpg\n')
    files = run(main, root, STARTS['coco'], '--val-list', root / 'val.txt')
    assert list(labels(files['val'])) == ['b.jpg', 'd.jpg']
    assert str(root / 'val.txt') in files['manifest']['inputs']
    (root / 'val.txt').write_text('d.jpg\nx.jpg\n')
    with pytest.raises(ValueError, match=r'val\.txt:2: .* has no image x\.jpg'):
        run(main, root, STARTS['coco'], '--val-list', root / 'val.txt', '--overwrite')


def test_a_second_source_for_validation(main, root, capsys):
    whole = (root / 'names.txt').read_text().splitlines()
    (root / 'names.txt').write_text('\n'.join(whole[:4]))
    (root / 'val.txt').write_text('\n'.join(whole[4:]))
    files = run(main, root, STARTS['names'], '--val', root / 'val.txt')
    assert list(labels(files['train'])) == PHOTOS[:4]
    assert list(labels(files['val'])) == PHOTOS[4:]
    assert 'test_dataloader = val_dataloader' in capsys.readouterr().out
    (root / 'val.txt').write_text('\n'.join(whole[3:]))
    with pytest.raises(ValueError, match=r'val\.txt:1: d\.jpg is a training .*:4'):
        run(main, root, STARTS['names'], '--val', root / 'val.txt', '--overwrite')
    (root / 'other.csv').write_text('file,cat\ne.jpg,1\n')
    with pytest.raises(ValueError, match='two sources have different classes'):
        more = ['--val', root / 'other.csv', '--overwrite']
        run(main, root, STARTS['matrix'], *more)


@pytest.mark.parametrize(
    ('file', 'text', 'command', 'message'),
    [
        ('names.txt', 'a.jpg,cow\n', 'names', r"names\.txt:1: 'cow' is not among"),
        ('indices.txt', 'a.jpg,0\nb.jpg,3\n', 'indices', r'indices\.txt:2: label 3 is'),
        ('indices.txt', 'a.jpg,0\na.jpg,1\n', 'indices', r'indices\.txt:2: a\.jpg occ'),
        ('names.txt', 'a.jpg,\n', 'names', r'names\.txt:1: a\.jpg has no label'),
        ('matrix.csv', 'f,cat\na.jpg,x\n', 'matrix', r"matrix\.csv:2: column 'cat'"),
        ('labels/a.txt', '5 0 0 1 1', 'yolo', r'labels/a\.txt:1: label 5 is out'),
        ('labels/a.txt', '', 'yolo', r'labels/a\.txt: a\.jpg has no label'),
        ('matrix.csv', 'f,cat\n', 'matrix', r'matrix\.csv: no image is left for train'),
        ('indices.txt', '', 'indices', r'indices\.txt: no image is left for train'),
        ('Annotations/a.xml', '<a>', 'voc', r'a\.xml:1: not XML'),
        ('coco.json', '{"images": [],\n x}', 'coco', r'coco\.json:2: not JSON'),
    ],
)
def test_malformed_input(main, root, file, text, command, message):
    (root / file).write_text(text)
    more = ['--classes', str(root / 'classes.txt')] if command == 'names' else []
    with pytest.raises(ValueError, match=message):
        run(main, root, STARTS[command], *more)
    assert not (root / 'multilabel').exists()


def test_broken_and_missing_photos(main, root):
    (root / 'images' / 'b.jpg').write_bytes(b'no photo')
    (root / 'images' / 'c.jpg').unlink()
    run(main, root, STARTS['names'])
    with pytest.raises(ValueError, match=r'2 of 6 photos') as error:
        run(main, root, STARTS['names'], '--verify-images', '--overwrite')
    assert 'names.txt:2: ' in str(error.value) and 'names.txt:3: ' in str(error.value)


def test_duplicates_are_merged_if_wanted(main, root):
    (root / 'names.txt').write_text('a.jpg,cat\nb.jpg,sea\na.jpg,dog\nc.jpg,\n')
    more = ['--duplicates', 'merge', '--empty', 'drop']
    files = run(main, root, STARTS['names'], *more)
    assert labels(files['train']) == {'a.jpg': [0, 1], 'b.jpg': [2]}


@pytest.mark.parametrize(
    ('command', 'message'),
    [
        ('csv matrix.csv --unlisted unknown', '--unlisted and --separator go with'),
        ('csv matrix.csv --separator x', '--unlisted and --separator go with'),
        ('voc Annotations --difficult ignore --unlisted unknown', 'does not go with'),
        ('coco coco.json --seed 3', '--seed goes with --val-ratio'),
        ('coco coco.json --val-ratio 1', 'must lie between 0 and 1'),
        ('coco coco.json --val-images images', '--val-images goes with --val'),
        ('csv matrix.csv --delimiter ;;', '--delimiter must be one character'),
        ('coco coco.json --names', 'unrecognized arguments: --names'),
        ('coco coco.json --val-ratio 0.5 --val-list x', 'not allowed with'),
    ],
)
def test_options_without_effect_are_refused(main, root, capsys, command, message):
    with pytest.raises(SystemExit):
        run(main, root, command)
    assert message in capsys.readouterr().err


def test_existing_files_stay(main, root):
    run(main, root, STARTS['coco'])
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        run(main, root, STARTS['coco'])
    with pytest.raises(ValueError, match='of 6 images, 0 would be for validation'):
        run(main, root, STARTS['coco'], '--val-ratio', '0.01', '--overwrite')
    with pytest.raises(ValueError, match='say where the photos are with --images'):
        run(main, root, f'yolo {root}/Annotations', '--overwrite')


def test_validation_set_of_an_earlier_run_is_not_left_beside(main, root):
    """It holds photos that are for training now."""
    files = run(main, root, STARTS['coco'], '--val-ratio', '0.34')
    with pytest.raises(ValueError, match=r'val\.json is of an earlier run'):
        run(main, root, STARTS['coco'], '--overwrite')
    assert (
        json.loads((root / 'multilabel' / 'train.json').read_text()) == files['train']
    )
    (root / 'multilabel' / 'val.json').unlink()
    assert labels(run(main, root, STARTS['coco'], '--overwrite')['train']) == EXPECTED


def test_folder_of_folders_that_one_stands_in(main, root, monkeypatch):
    """What is written must not become a class of the next run."""
    monkeypatch.chdir(root / 'folders')
    for more in ([], ['--overwrite']):
        main(['folders', '.', *more])
    assert (root / 'multilabel' / 'classes.txt').read_text().split() == NAMES
    assert sorted(p.name for p in (root / 'folders').iterdir()) == NAMES


def test_own_data_trains(tool, main, root, tmp_path, monkeypatch, capsys):
    """Convert, then train two steps and test, with nothing but the lines it shows."""
    monkeypatch.chdir(root)
    command = 'csv named.csv --labels-column tags --images images --val-ratio 0.34'
    main(command.split())
    lines = [line for line in capsys.readouterr().out.splitlines() if ' = ' in line]

    (tmp_path / 'work').mkdir()
    name = 'baselines/linear_rn50_1xb16_voc12-largeloss-an.py'
    base = shrink(name, tmp_path / 'work')
    base.train_dataloader.batch_size = 2
    base.work_dir = str(tmp_path / 'runs')
    base.dump(str(root / 'base.py'))
    (root / 'mine.py').write_text('\n'.join(["_base_ = './base.py'", *lines]))
    tool('train.py').main(['mine.py'])
    with torch.serialization.safe_globals(runner_globals()):
        checkpoint = torch.load(tmp_path / 'runs' / 'epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 2
    assert len(checkpoint['state_dict']['head.fc.weight']) == len(NAMES)
    logs = list((tmp_path / 'runs').glob('*/vis_data/scalars.json'))
    assert 'multi-label/mAP' in logs[0].read_text()


def test_from_a_shell(root):
    command = [sys.executable, str(ROOT / 'tools' / PROGRAM), 'coco', 'coco.json']
    run = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert run.returncode == 0, run.stderr
    assert "ann_file='multilabel/train.json', data_prefix='.'" in run.stdout
