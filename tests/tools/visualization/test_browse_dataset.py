"""``tools/visualization/browse_dataset.py`` on shrunken configs and real photos."""

import re

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmscpnet.visualization import view_sheet
from mmscpnet.visualization.view_sheet import HIDDEN, POSITIVE, UNKNOWN
from tests.shared import ROOT, shared_file
from tests.shrunken_configs import CONFIGS, shrink


@pytest.fixture
def browse(tool):
    return tool('visualization/browse_dataset.py').main


@pytest.fixture
def drawn(monkeypatch):
    """What the sheets show, in place of drawing them."""
    items = []

    def record(samples, classes, path, **kwargs):
        path.touch()
        items.append((samples, classes, kwargs))

    monkeypatch.setattr(view_sheet, 'draw_view_sheet', record)
    return items


# One of each data set and protocol, such as coco14-spml: the rest of a name is model
# and loss, which the pipelines do not depend on.
ONE_EACH = list(
    {
        re.search(r'(?:xb\d+|fsdp)_([a-z0-9]+(?:-[a-z]+)?)', n)[1]: n for n in CONFIGS
    }.values()
)


@pytest.mark.parametrize('name', ONE_EACH)
def test_every_config(browse, drawn, tmp_path, name):
    config = shrink(name, tmp_path)
    file = tmp_path / 'config.py'
    config.dump(file)
    sizes = {}
    for phase in ('train', 'test'):
        out = tmp_path / phase
        browse([str(file), '--phase', phase, '--num', '2', '--out-dir', str(out)])
        (samples, classes, kwargs) = drawn.pop()
        assert len(samples) == 2 and (out / 'sheet_01.png').exists()
        pipeline = str(config[f'{phase}_dataloader'].dataset)
        sizes[phase] = len(samples[0].views)
        assert sizes[phase] == (3 if 'MultiView' in pipeline else 1)
        for sample in samples:
            assert len(sample.scores) == len(classes) and sample.full is None
            assert all(view.shape[2] == 3 for view in sample.views)
        assert f'config: {phase}' in kwargs['title']


def dumped(tmp_path, name='scpnet/scpnet_clip-rn50_1xb96_cub-spml.py'):
    config = shrink(name, tmp_path)
    file = tmp_path / 'config.py'
    config.dump(file)
    return str(file)


def test_sheets(browse, tmp_path, capsys):
    """312 labels; ten photos on sheets of four."""
    config, out = dumped(tmp_path), tmp_path / 'out'
    arguments = [config, '--out-dir', str(out), '--per-sheet', '4', '--tile', '96']
    browse(arguments)
    assert sorted(p.name for p in out.iterdir()) == [
        f'sheet_{i:02d}.png' for i in (1, 2, 3)
    ]
    assert '10 of 10 photos' in capsys.readouterr().out
    before = (out / 'sheet_01.png').read_bytes()
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        browse(arguments)
    # The same seed gives the same views.
    browse([*arguments, '--overwrite'])
    assert (out / 'sheet_01.png').read_bytes() == before
    browse([*arguments, '--overwrite', '--seed', '1'])
    assert (out / 'sheet_01.png').read_bytes() != before


@pytest.mark.parametrize('show', [False, True])
def test_truth_only_when_asked(browse, drawn, tmp_path, show):
    config = dumped(tmp_path, 'scpnet/scpnet_clip-rn101_1xb32_coco14-partial.py')
    options = ['--per-sheet', '10', *['--show-truth'] * show]
    browse([config, '--out-dir', str(tmp_path / 'out'), *options])
    ((samples, _, _),) = drawn
    for sample in samples:
        assert (sample.scores == -1).any()
        assert (sample.full is not None) == show
        if show:
            known = sample.scores != -1
            assert (sample.scores[known] == sample.full[known]).all()
            assert (sample.full != -1).all()


def test_failures_leave_nothing(browse, tmp_path):
    config, out = dumped(tmp_path), tmp_path / 'out'
    with pytest.raises(FileNotFoundError, match='config file .*none.py'):
        browse([str(tmp_path / 'none.py'), '--out-dir', str(out)])
    with pytest.raises(ValueError, match='has no val_dataloader'):
        browse(
            [config, '--phase', 'val', '--out-dir', str(out)]
            + ['--cfg-options', 'val_dataloader=None']
        )
    (tmp_path / 'images' / '3.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='3.jpg'):
        browse([config, '--out-dir', str(out)])
    assert not out.exists() and not list(tmp_path.glob('.out*'))
    with pytest.raises(SystemExit):
        browse([config, '--num', '0'])


def test_photos_of_corel5k(browse, tmp_path):
    """Real photos, as the frozen config feeds them before there is a bank."""
    root = shared_file('data/corel5k')
    name = 'scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'
    config = Config.fromfile(ROOT / 'configs' / name)
    out = tmp_path / 'out'
    options = ['train_dataloader.dataset.dataset.data_root=' + str(root)]
    options += [f'train_dataloader.dataset.dataset.classes={root}/classes_74.txt']
    browse(
        [config.filename, '--num', '3', '--show-truth', '--out-dir', str(out)]
        + ['--cfg-options', *options]
    )
    picture = np.asarray(Image.open(out / 'sheet_01.png').convert('RGB'))
    for mark in (POSITIVE, UNKNOWN, HIDDEN):
        assert (picture == mark.colour).all(-1).any()
    # Photos, not empty tiles.
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10_000


def test_scenes_are_drawn_on_first_use(browse, tmp_path):
    name = 'demo/scpnet-frozen_effnet-lite0_1xb128_demo-spml.py'
    config = Config.fromfile(ROOT / 'configs' / name)
    dataset = config.test_dataloader.dataset
    dataset.update(data_root=str(tmp_path / 'scenes'), num_train=1, num_test=3)
    file = tmp_path / 'config.py'
    config.dump(file)
    arguments = [str(file), '--phase', 'test', '--out-dir', str(tmp_path / 'out')]
    browse(arguments)
    assert (tmp_path / 'out' / 'sheet_01.png').is_file()
    assert (tmp_path / 'scenes' / 'test.json').is_file()
