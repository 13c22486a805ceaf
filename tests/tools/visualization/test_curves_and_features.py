"""``training_curves.py`` and ``label_features.py`` through the command line."""

import json

import pytest
import torch
from mmengine.config import Config

from tests.deployment.test_exported_model import CLASSES, MODELS_TO_EXPORT, build


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / 'run' / '20260101_000000' / 'vis_data'
    folder.mkdir(parents=True)
    lines = [
        {
            'multi-label/mAP': v,
            'multi-label/mAP_plain': v - 1,
            'multi-label/mAP_ema': v,
            'step': e,
        }
        for e, v in [(1, 40.0), (2, 55.5), (3, 52.0)]
    ]
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    return tmp_path / 'run'


def curves_file(tmp_path):
    points = [{'epoch': 0, 'regular': 30.0, 'ema': 20.0}]
    path = tmp_path / 'curves.json'
    path.write_text(json.dumps({'coco': {'curve': points}, 'note': 'x'}))
    return path


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_curves(tool, run, tmp_path, capsys, suffix):
    out = tmp_path / 'new' / f'curves.{suffix}'
    main = tool('visualization/training_curves.py').main
    published = ['--published', str(curves_file(tmp_path))]
    main([str(run), '--names', 'mine', *published, '--out', str(out)])
    assert 'mine: best 55.50 in epoch 2' in capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    if suffix == 'svg':
        text = out.read_text()
        assert '<svg' in text and '</svg>' in text
    with pytest.raises(ValueError, match='--overwrite'):
        main([str(run), '--out', str(out)])


def test_unfinished_log(tool, run, tmp_path, capsys):
    """A killed run may leave half a line; one in the middle is an error."""
    (log,) = run.glob('*/vis_data/scalars.json')
    whole = log.read_text()
    log.write_text(whole + '\n{"multi-label/mAP": 9')
    main = tool('visualization/training_curves.py').main
    main([str(run), '--out', str(tmp_path / 'c.png')])
    assert 'best 55.50 in epoch 2' in capsys.readouterr().out
    log.write_text('{"a"\n' + whole)
    with pytest.raises(ValueError, match='scalars.json:1: not JSON'):
        main([str(run), '--out', str(tmp_path / 'd.png')])


def test_curves_refused(tool, run, tmp_path):
    main = tool('visualization/training_curves.py').main
    out = ['--out', str(tmp_path / 'c.png')]
    with pytest.raises(ValueError, match='different names'):
        main([str(run), str(run), *out])
    with pytest.raises(ValueError, match="no curve 'voc'"):
        main([str(run), '--published', str(curves_file(tmp_path)), 'voc', *out])
    with pytest.raises(ValueError, match='was validated'):
        main([str(tmp_path), *out])
    broken = tmp_path / 'broken.json'
    for text, message in [
        ('{"coco": ', 'broken.json is no JSON file'),
        ('[1, 2]', 'must map names to curves, found list'),
        ('{"note": "x"}', 'has no curves'),
        ('{"coco": {"curve": [{"epoch": 0}]}}', '"curve" of entries with "epoch"'),
    ]:
        broken.write_text(text)
        with pytest.raises(ValueError, match=message):
            main([str(run), '--published', str(broken), *out])
    with pytest.raises(FileNotFoundError, match='none.json'):
        main([str(run), '--published', str(tmp_path / 'none.json'), *out])
    assert not (tmp_path / 'c.png').exists()


@pytest.fixture
def model_files(tmp_path):
    config = tmp_path / 'config.py'
    model = MODELS_TO_EXPORT['clip']
    Config(dict(default_scope='mmscpnet', model=model)).dump(config)
    state = dict(state_dict=build(model).state_dict())
    torch.save(state, tmp_path / 'a.pth')
    torch.save(state, tmp_path / 'b.pth')
    return [str(config), str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth')]


def test_label_features(tool, model_files, tmp_path):
    categories = tmp_path / 'categories.csv'
    lines = [f'{name},{"nature" if name[0] == "s" else "other"}' for name in CLASSES]
    categories.write_text('\n'.join(lines) + '\n')
    out = tmp_path / 'new' / 'map.png'
    main = tool('visualization/label_features.py').main
    options = ['--stage', 'both', '--categories', str(categories), '--out', str(out)]
    main([*model_files, *options])
    assert out.stat().st_size > 10_000
    with pytest.raises(ValueError, match='--overwrite'):
        main([*model_files, *options])
    categories.write_text('\n'.join(lines[:3]) + '\n')
    with pytest.raises(ValueError, match='no category for 2 of 5 labels: sky, sun'):
        main([*model_files, *options, '--overwrite'])


def test_label_features_of_a_linear_head(tool, tmp_path):
    config = tmp_path / 'config.py'
    model = MODELS_TO_EXPORT['linear, BGR']
    Config(dict(default_scope='mmscpnet', model=model)).dump(config)
    torch.save(dict(state_dict=build(model).state_dict()), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='has no label features'):
        tool('visualization/label_features.py').main(
            [str(config), str(tmp_path / 'a.pth'), '--out', str(tmp_path / 'x.png')]
        )


def test_several_figures_of_a_run(tool, tmp_path, monkeypatch, capsys):
    """Figure 4, left: two kinds of precision of each of two runs."""
    from mmscpnet.visualization import training_curves

    drawn, draw = {}, training_curves.draw_training_curves

    def spy(runs, *args):
        drawn.update(runs)
        draw(runs, *args)
        drawn['ylabel'] = args[-1]

    monkeypatch.setattr(training_curves, 'draw_training_curves', spy)
    names = ['pseudo_labels/plain/precision', 'pseudo_labels/calibrated/precision']
    for number, run in enumerate('ab'):
        folder = tmp_path / run / 'x' / 'vis_data'
        folder.mkdir(parents=True)
        lines = [{names[0]: 40.0 + number, names[1]: 50.0, 'step': e} for e in (1, 2)]
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    out = tmp_path / 'fig4.svg'
    main = tool('visualization/training_curves.py').main
    runs = [str(tmp_path / 'a'), str(tmp_path / 'b')]
    main([*runs, '--metric', *names, '--out', str(out)])
    assert drawn.pop('ylabel') == 'precision'
    assert list(drawn) == [f'{run}: {name}' for run in 'ab' for name in names]
    assert drawn[f'b: {names[0]}'].plain == [41.0, 41.0]
    assert out.read_text().count(f'<!-- b: {names[1]} -->') == 1
    with pytest.raises(ValueError, match='other/thing'):
        main([*runs, '--metric', 'other/thing', '--out', str(tmp_path / 'x.png')])


def test_label_features_svg(tool, model_files, tmp_path):
    out = tmp_path / 'map.svg'
    tool('visualization/label_features.py').main(
        [*model_files, '--names', 'one', 'two', '--method', 'pca', '--out', str(out)]
    )
    text = out.read_text()
    # Names of the labels in both panels.
    assert all(text.count(f'<!-- {name} -->') == 2 for name in CLASSES)
    assert '<!-- one: after SAM -->' in text and '<!-- two: after SAM -->' in text


def test_label_features_refused(tool, model_files, tmp_path):
    main = tool('visualization/label_features.py').main
    out = ['--out', str(tmp_path / 'map.png')]
    with pytest.raises(FileNotFoundError, match='none.pth'):
        main([model_files[0], str(tmp_path / 'none.pth'), *out])
    with pytest.raises(FileNotFoundError, match='file of categories.*none.csv'):
        main([*model_files, '--categories', str(tmp_path / 'none.csv'), *out])
    for wrong in (['--names', 'one'], ['--out', str(tmp_path / 'map.jpg')]):
        with pytest.raises(SystemExit):
            main([*model_files, *out, *wrong])
    assert not (tmp_path / 'map.png').exists()
