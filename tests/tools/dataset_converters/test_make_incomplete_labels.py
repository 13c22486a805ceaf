"""``tools/dataset_converters/make_incomplete_labels.py``."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mmscpnet.datasets import IncompleteMultiLabelDataset, load_class_names
from mmscpnet.datasets.observed import observed_targets
from mmscpnet.datasets.protocols import PROTOCOLS
from mmscpnet.datasets.transforms import LabelProtocol
from tests.datasets.protocols.examples import (
    CLASSES,
    NUM_IMAGES,
    options_of,
    write_set,
)
from tests.shared import ROOT, shared_file

PROGRAM = 'dataset_converters/make_incomplete_labels.py'


@pytest.fixture
def main(tool):
    return tool(PROGRAM).main


def arguments(name, folder):
    flags = [str(folder / 'train.json'), '--protocol', name]
    for option, value in options_of(name, folder).items():
        flags += [f'--{option.replace("_", "-")}', str(value)]
    return flags


def targets(path, *transforms, **kwargs):
    dataset = IncompleteMultiLabelDataset(
        ann_file=str(path), pipeline=list(transforms), serialize_data=False, **kwargs
    )
    names = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    return dict(zip(names, observed_targets(dataset).tolist()))


@pytest.mark.parametrize('name', list(PROTOCOLS))
def test_file_and_transform_give_the_same_labels(main, tmp_path, name):
    path = write_set(tmp_path)
    out = tmp_path / 'thinned.json'
    main([*arguments(name, tmp_path), '--out', str(out)])
    found = targets(out)
    transform = LabelProtocol(name, **options_of(name, tmp_path))
    expected = targets(path, transform)
    if name == 'spml-largeloss':
        held = targets(tmp_path / 'thinned_holdout.json')
        full = targets(path)
        assert held == {image: full[image] for image in held}
        empty = [image for image, labels in full.items() if 1 not in labels]
        assert empty and len(held) == round(0.2 * (NUM_IMAGES - len(empty)))
        assert not set(held) & set(found)
        for image in (*held, *empty):
            del expected[image]
    assert found == expected
    assert list(found) == list(expected), 'the images keep their order'
    assert any(-1 in labels for labels in found.values()) or name == 'noisy'


def test_files_of_a_run(main, tmp_path, capsys):
    path = write_set(tmp_path)
    command = [str(path), '--protocol', 'partial-sarb', '--ratio', '0.3', '--seed', '2']
    runs = []
    for _ in range(2):
        main(command)
        stem = 'train_partial-sarb_seed-2_ratio-0.3'
        names = [f'{stem}.json', f'{stem}.manifest.json', f'{stem}.png']
        assert {p.name for p in tmp_path.iterdir()} == {
            *names,
            'list.txt',
            'train.json',
        }
        runs.append([(tmp_path / name).read_bytes() for name in names[:2]])
        with pytest.raises(ValueError, match=rf'{stem}\.json exists; .*--overwrite'):
            main(command)
        for name in names:
            (tmp_path / name).unlink()
    assert runs[0] == runs[1]
    content, manifest = map(json.loads, runs[0])
    assert content['metainfo']['unlisted'] == 'unknown'
    assert content['metainfo']['classes'] == CLASSES
    assert content['metainfo']['protocol'] == dict(
        name='partial-sarb', seed=2, ratio=0.3
    )
    assert manifest['command'][1:] == command
    assert manifest['protocol']['seed'] == 2
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest['inputs'] == {path.as_posix(): digest}
    before, after = manifest['splits']['train'], manifest['splits'][stem]
    labels = np.array([[row['gt_label'].count(c) for c in range(5)] for row in
                       json.loads(path.read_text())['data_list']])  # fmt: skip
    kept = np.random.RandomState(2).random_sample((NUM_IMAGES, 5)) < 0.3
    for c, name in enumerate(CLASSES):
        assert before['per_class'][name]['positives'] == labels[:, c].sum()
        assert after['per_class'][name] == dict(
            positives=(labels * kept)[:, c].sum(),
            negatives=((1 - labels) * kept)[:, c].sum(),
            unknowns=(~kept)[:, c].sum(),
        )
    printed = capsys.readouterr().out
    assert all(name in printed for name in CLASSES)


def test_a_list_as_input(main, tmp_path):
    (tmp_path / 'val.txt').write_text('a.jpg,0 2\nb.jpg, 1\nc.jpg,\n')
    command = [str(tmp_path / 'val.txt'), '--protocol', 'spml-uniform']
    with pytest.raises(ValueError, match=r'val.txt: a list does not name its classes'):
        main(command)
    names = tmp_path / 'names.txt'
    names.write_text('x\ny\nz\n')
    main([*command, '--classes', str(names)])
    found = targets(tmp_path / 'val_spml-uniform.json')
    assert found['b.jpg'] == [-1, 1, -1] and found['c.jpg'] == [-1] * 3
    assert sorted(found['a.jpg']) == [-1, -1, 1] and found['a.jpg'][1] == -1


def test_default_names_are_those_the_configs_read(main, tmp_path):
    write_set(tmp_path).rename(tmp_path / 'train2014.json')
    main([str(tmp_path / 'train2014.json'), '--protocol', 'spml-largeloss'])
    made = {path.name for path in tmp_path.glob('*_spml-*.json')}
    assert 'train2014_spml-largeloss.json' in made
    assert 'train2014_spml-largeloss_holdout.json' in made


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--protocol', 'spml-uniform', '--ratio', '0.1'], 'does not take --ratio'),
        (['--protocol', 'partial'], '--protocol partial needs --ratio'),
        (['--protocol', 'few-shot', '--shots', 'x'], "invalid int value: 'x'"),
        (['--protocol', 'none'], 'invalid choice'),
        (['--protocol', 'spml-uniform', '--out', 'a.txt'], 'must end with .json'),
    ],
)
def test_wrong_options(main, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit):
        main([str(write_set(tmp_path)), *options])
    assert message in capsys.readouterr().err


def test_refused_labels_leave_nothing(main, tmp_path):
    content = json.loads(write_set(tmp_path).read_text())
    content['metainfo']['unlisted'] = 'unknown'
    (tmp_path / 'train.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'train\.json: image 0 has unknown labels'):
        main(arguments('spml-largeloss', tmp_path))
    (tmp_path / 'list.txt').write_text('other.jpg,0\n')
    with pytest.raises(ValueError, match=r'list\.txt has no line for COCO_'):
        main(arguments('list', tmp_path))
    with pytest.raises(FileNotFoundError, match='no annotation file at'):
        main([str(tmp_path / 'none.json'), '--protocol', 'spml-uniform'])
    assert {p.name for p in tmp_path.iterdir()} == {'train.json', 'list.txt'}


@pytest.mark.parametrize('classes', [1, 20, 312])
def test_picture(main, tmp_path, classes):
    """Its size follows the number of classes; nothing is squeezed."""
    names = [f'label {i}' for i in range(classes)]
    rows = [dict(img_path=f'{i}.jpg', gt_label=[i % classes]) for i in range(40)]
    content = dict(metainfo=dict(classes=names), data_list=rows)
    (tmp_path / 'a.json').write_text(json.dumps(content))
    main([str(tmp_path / 'a.json'), '--protocol', 'partial', '--ratio', '0.5'])
    picture = Image.open(tmp_path / 'a_partial_ratio-0.5.png').convert('RGB')
    rows = min(classes, 78)
    assert picture.height >= 20 * rows
    colours = {colour for _, colour in picture.getcolors(1 << 24)}
    # Known positive, known negative, unknown.
    assert {(0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00), (0xDD,) * 3} <= colours


def test_names_are_shown_without_a_file(tool, capsys):
    for flag in ('--show-names', '--help'):
        with pytest.raises(SystemExit) as stop:
            tool(PROGRAM).parse_args([flag])
        assert stop.value.code == 0
        printed = capsys.readouterr().out
        assert all(name in printed for name in PROTOCOLS)
        assert '--held-out' in printed and '1200' in printed


def test_from_a_shell(tmp_path):
    """With the real single positives of VOC 2012 as the list to follow."""
    source = shared_file('data/scpnet_lists')
    classes = load_class_names('voc20')
    entries = (source / 'voc_train.txt').read_text().splitlines()
    rows = []
    for entry in entries:
        name, label = entry.split(',')
        # As if each photo also showed a person.
        rows.append(dict(img_path=name, gt_label=sorted({int(label), 14})))
    content = dict(metainfo=dict(classes=classes), data_list=rows)
    (tmp_path / 'train.json').write_text(json.dumps(content))
    command = [sys.executable, str(ROOT / 'tools' / PROGRAM), 'train.json']
    command += ['--protocol', 'list', '--ann-file', str(source / 'voc_train.txt')]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    made = json.loads((tmp_path / 'train_list_ann-file-voc_train.json').read_text())
    assert len(made['data_list']) == 5717
    assert [f'{r["img_path"]},{r["gt_label"][0]}' for r in made['data_list']] == [
        entry.replace(', ', ',') for entry in entries
    ]
    assert '5,717' in run.stdout
