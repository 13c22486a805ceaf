"""``tools/image_demo.py``: photos in, labels, tables and pictures out."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from mmscpnet.apis import MultiLabelInferencer
from tests.apis.small_models import (
    CLASSES,
    make_config,
    make_photos,
    save_model,
    scp_head,
)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp('model')
    make_photos(folder)
    (folder / 'photos' / 'bad.jpg').write_bytes(b'no photo')
    files = save_model(make_config(folder, scp_head()), folder)
    return [str(file) for file in files], folder / 'photos'


@pytest.fixture
def demo(tool, model):
    def run(image, *arguments, checkpoint=True):
        files = model[0] if checkpoint else model[0][:1]
        tool('image_demo.py').main([str(image), *files, *map(str, arguments)])

    return run


@pytest.fixture(scope='module')
def expected(model):
    """Scores by path, of the inferencer, whose scores have tests of their own."""
    results = MultiLabelInferencer(*model[0])(model[1])
    return {r['img_path']: r['scores'] for r in results if r['error'] is None}


def test_a_photo(demo, model, expected, capsys):
    path = str(model[1] / '0.png')
    demo(path, '--top-k', 2)
    lines = capsys.readouterr().out.splitlines()
    order = np.argsort(-expected[path])[:2]
    text = ', '.join(f'{CLASSES[i]} {expected[path][i]:.2f}' for i in order)
    assert lines[-2:] == [f'{path}: {text}', '1 of 1 photos have been predicted']


def test_a_folder_with_all_outputs(demo, model, expected, tmp_path, capsys):
    out = tmp_path / 'out'
    demo(
        *(model[1], '--top-k', 2, '--batch-size', 4),
        *('--json', out / 'a.json', '--csv', out / 'a.csv', '--out-dir', out / 'drawn'),
    )
    printed = capsys.readouterr().out
    assert '6 of 7 photos have been predicted' in printed
    assert 'bad.jpg: cannot be used: ' in printed
    content = json.loads((out / 'a.json').read_text())
    assert content['classes'] == CLASSES and content['rule'] == {'top_k': 2}
    assert len(content['predictions']) == 7
    with open(out / 'a.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['image', 'labels', 'error'] + [
        f'score: {name}' for name in CLASSES
    ]
    for entry, row in zip(content['predictions'], rows, strict=True):
        path = entry['img_path']
        assert row['image'] == path
        if path.endswith('bad.jpg'):
            assert entry['error'] == row['error'] and row['labels'] == ''
            assert 'scores' not in entry
            continue
        np.testing.assert_allclose(entry['scores'], expected[path], atol=1e-6)
        order = np.argsort(-expected[path])[:2]
        assert entry['labels'] == [CLASSES[i] for i in order]
        assert row['labels'] == ';'.join(entry['labels'])
        found = [float(row[f'score: {name}']) for name in CLASSES]
        np.testing.assert_allclose(found, entry['scores'], rtol=1e-5)
    drawn = sorted(p.relative_to(out / 'drawn') for p in out.rglob('*.png'))
    assert len(drawn) == 6 and str(drawn[-1]) == 'more/5.png.png'
    assert not list(out.rglob('*.tmp'))


def test_the_table_becomes_a_dataset(demo, tool, model, tmp_path):
    """Predictions of a model are read as annotations of the user's own data."""
    table = tmp_path / 'a.csv'
    photos = [p for p in model[1].rglob('*.png')]
    folder = tmp_path / 'photos'
    folder.mkdir()
    for photo in photos:
        Image.open(photo).save(folder / photo.name)
    demo(folder, '--top-k', 2, '--csv', table)
    tool('dataset_converters/from_files.py').main(
        [
            *('csv', str(table), '--labels-column', 'labels', '--separator', ';'),
            *('--image-column', 'image', '--images', '/', '--out', str(tmp_path / 'o')),
        ]
    )
    (file,) = (tmp_path / 'o').glob('train.json')
    data = json.loads(file.read_text())
    assert [len(entry['gt_label']) for entry in data['data_list']] == [2] * 6


def test_other_labels(demo, model, tmp_path, capsys):
    labels = tmp_path / 'labels.txt'
    labels.write_text('zebra\ncat\nsnow\n')
    demo(model[1], '--labels', labels, '--top-k', 1, '--json', tmp_path / 'a.json')
    content = json.loads((tmp_path / 'a.json').read_text())
    assert content['classes'] == ['zebra', 'cat', 'snow']
    assert {len(e['labels']) for e in content['predictions'] if 'labels' in e} == {1}
    with pytest.raises(ValueError, match='do not go with --labels'):
        demo(model[1], '--labels', labels, '--thresholds', 'a.json')


def test_without_a_checkpoint_and_with_options(demo, model, tmp_path):
    out = tmp_path / 'a.json'
    scale = ['--cfg-options', 'model.head.scale=0.001']
    demo(model[1] / '0.png', '--json', out, '--threshold', 0, *scale, checkpoint=False)
    (entry,) = json.loads(out.read_text())['predictions']
    np.testing.assert_allclose(entry['scores'], 0.5, atol=1e-3)
    assert sorted(entry['labels']) == sorted(CLASSES)


@pytest.mark.parametrize('option', ['--json', '--csv', '--out-dir'])
def test_files_are_kept(demo, model, tmp_path, option):
    target = tmp_path / 'mine'
    file = target / 'a.txt' if option == '--out-dir' else target
    file.parent.mkdir(exist_ok=True)
    file.write_text('mine')
    with pytest.raises(ValueError, match='--overwrite'):
        demo(model[1] / '0.png', option, target)
    assert file.read_text() == 'mine'
    demo(model[1] / '0.png', option, target, '--overwrite')
    assert option == '--out-dir' or file.read_text() != 'mine'


def test_nothing_readable_writes_nothing(demo, model, tmp_path):
    with pytest.raises(ValueError, match='none of the 1 photos'):
        demo(model[1] / 'bad.jpg', '--json', tmp_path / 'a.json')
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match='none of the 1 photos'):
        demo(tmp_path / 'none.jpg')


def test_one_rule_only(demo, model, capsys):
    with pytest.raises(SystemExit):
        demo(model[1], '--top-k', 2, '--threshold', 0.5)
    assert 'not allowed with' in capsys.readouterr().err


def test_known_labels(demo, model, tmp_path, monkeypatch, capsys):
    """The annotation of the photos goes to the pictures, in the model's order."""
    from mmscpnet.apis import outputs

    drawn, draw = {}, outputs.draw_prediction

    def spy(photo, classes, scores, decided, out_file, known=None, **kwargs):
        drawn[kwargs['title']] = known
        return draw(photo, classes, scores, decided, out_file, known=known, **kwargs)

    monkeypatch.setattr(outputs, 'draw_prediction', spy)
    folder = model[1]
    annotations = json.loads((folder.parent / 'test.json').read_text())
    out = tmp_path / 'out'
    ann = tmp_path / 'some.json'
    annotations['data_list'] = annotations['data_list'][:4]
    ann.write_text(json.dumps(annotations))
    demo(folder, '--quiet', '--out-dir', out, '--ann', ann)
    assert '4 of 7 photos are listed' in capsys.readouterr().out
    assert len(drawn) == 6
    for entry in annotations['data_list']:
        known = drawn.pop(entry['img_path'])
        assert (known == 1).nonzero()[0].tolist() == entry['gt_label']
        assert (known == 0).nonzero()[0].tolist() == entry['negative_label']
    assert list(drawn.values()) == [None, None]


def test_known_labels_refused(demo, model, tmp_path):
    folder, out = model[1], tmp_path / 'out'
    ann = tmp_path / 'ann.json'
    entries = [dict(img_path='elsewhere.png', gt_label=[0])]
    ann.write_text(json.dumps(dict(metainfo=dict(classes=CLASSES), data_list=entries)))
    with pytest.raises(ValueError, match='lists none of the 7 photos'):
        demo(folder, '--out-dir', out, '--ann', ann)
    ann.write_text(json.dumps(dict(metainfo=dict(classes=['x']), data_list=entries)))
    with pytest.raises(ValueError, match='other labels than the model'):
        demo(folder, '--out-dir', out, '--ann', ann)
    ann.write_text('no JSON')
    with pytest.raises(ValueError, match='not JSON'):
        demo(folder, '--out-dir', out, '--ann', ann)
    with pytest.raises(SystemExit):
        demo(folder, '--ann', ann)
    assert not out.exists()
