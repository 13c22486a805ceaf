"""``vis_cam.py`` through the command line."""

import numpy as np
import pytest
from PIL import Image

from tests.apis.small_models import (
    make_config,
    make_photos,
    save_model,
    scp_head,
)

pytest.importorskip('pytorch_grad_cam', reason='needs the extra "cam"')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('model')
    make_photos(folder)
    (folder / 'photos' / 'bad.jpg').write_bytes(b'no photo')
    config = make_config(folder, scp_head())
    # As trained on a feature bank.
    config.model.frozen_backbone = True
    config.default_hooks.feature_bank = dict(type='FeatureBankHook')
    return folder / 'photos', [str(f) for f in save_model(config, folder)]


@pytest.fixture
def run(tool, files, tmp_path):
    def call(name, *arguments, out='out'):
        folder, model = files
        out = tmp_path / out
        tool('visualization/vis_cam.py').main(
            [str(folder / name), *model, '--out-dir', str(out), *arguments]
        )
        return sorted(path.name for path in out.iterdir())

    return call


def test_named_labels(run, tmp_path, capsys):
    found = run('0.png', '--labels', 'wine glass', 'cat', 'cat')
    assert found == ['01_wine_glass.png', '02_cat.png', 'sheet.png']
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('wine glass 0.') and lines[1].startswith('cat 0.')
    one, two = (
        np.asarray(Image.open(tmp_path / 'out' / name).convert('RGB'))
        for name in found[:2]
    )
    assert one.shape[1] == 480 and one.std() > 10
    assert one.shape != two.shape or (one != two).any()
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        run('0.png', '--labels', 'cat')


def test_best_labels(run, files, capsys):
    from mmscpnet.apis import MultiLabelInferencer

    folder, model = files
    (result,) = MultiLabelInferencer(*model, top_k=2)(str(folder / '0.png'))
    found = run('0.png', '--top-k', '2', '--method', 'layercam')
    assert len(found) == 3
    printed = capsys.readouterr().out.splitlines()
    scores = sorted(result['scores'], reverse=True)
    for line, name, score in zip(printed, result['labels'], scores):
        assert line.startswith(f'{name} {score:.2f}')


def test_refused(run, tmp_path):
    with pytest.raises(ValueError, match="no label 'wineglass' .*mean wine glass"):
        run('0.png', '--labels', 'wineglass')
    with pytest.raises(ValueError, match='bad.jpg cannot be used'):
        run('bad.jpg')
    with pytest.raises(ValueError, match='none.png cannot be used'):
        run('none.png')
    with pytest.raises(ValueError, match='is a folder'):
        run('')
    with pytest.raises(ValueError, match='method must be one of'):
        run('0.png', '--method', 'EigenCAM')
    with pytest.raises(ValueError, match="no layer 'backbone.x'"):
        run('0.png', '--target-layers', 'backbone.x')
    for options in (['--top-k', '0'], ['--top-k', '2', '--labels', 'cat']):
        with pytest.raises(SystemExit):
            run('0.png', *options)
    assert not (tmp_path / 'out').exists()
