"""``tools/export.py``: the file, what is in it, and serving it without mmscpnet."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmscpnet.deployment import open_exported
from mmscpnet.evaluation import Decisions
from mmscpnet.registry import MODELS
from tests.deployment.test_exported_model import MODELS_TO_EXPORT, build
from tests.shared import ROOT

pytest.importorskip('onnxruntime', reason='needs the packages of [export]')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config, a checkpoint and photos, the way training leaves them."""
    folder = tmp_path_factory.mktemp('export')
    rng = np.random.default_rng(0)
    lines = []
    for index, size in enumerate([(90, 70), (70, 90), (64, 64)]):
        noise = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize(size).save(folder / f'{index}.png')
        lines.append(f'{index}.png,{index}')
    (folder / 'list.txt').write_text('\n'.join(lines) + '\n')
    model_config = MODELS_TO_EXPORT['clip']
    classes = model_config['head']['classes']
    (folder / 'classes.txt').write_text('\n'.join(classes) + '\n')
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='ResizeEdge', scale=68, edge='short', backend='pillow'),
        dict(type='CenterCrop', crop_size=64),
        dict(type='PackInputs'),
    ]
    dataset = dict(
        type='MultiLabelListDataset',
        data_root=str(folder),
        ann_file='list.txt',
        classes=str(folder / 'classes.txt'),
        pipeline=pipeline,
    )
    config = Config(
        dict(
            default_scope='mmscpnet',
            model=model_config,
            test_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=dataset)),
        )
    )
    config.dump(folder / 'config.py')
    torch.save(dict(state_dict=build(model_config).state_dict()), folder / 'best.pth')
    return folder


@pytest.fixture
def export(tool, trained):
    module = tool('export.py')

    def run(*arguments):
        files = [str(trained / 'config.py'), str(trained / 'best.pth')]
        module.main([*files, *map(str, arguments)])

    return run


def test_onnx_is_served_without_mmscpnet(export, trained, tmp_path, capsys):
    out = tmp_path / 'new' / 'model.onnx'
    thresholds = tmp_path / 'thresholds.json'
    write_decisions(thresholds, MODELS_TO_EXPORT['clip']['head']['classes'])
    export('--out', out, '--dynamic', '--thresholds', thresholds)
    printed = capsys.readouterr().out
    assert 'milliseconds' in printed and 'on 3 photos' in printed
    assert [path.name for path in out.parent.iterdir()] == ['model.onnx']

    run, about = open_exported(str(out))
    assert about['classes'] == MODELS_TO_EXPORT['clip']['head']['classes']
    assert about['size'] == [64, 64]
    assert about['decisions']['thresholds'] == [0.5] * 5
    images = np.random.default_rng(1).uniform(0, 255, (5, 3, 64, 64))
    together = run(images.astype(np.float32))
    assert together.shape == (5, 5)
    apart = np.concatenate([run(i[None].astype(np.float32)) for i in images])
    assert np.allclose(together, apart, atol=1e-5)

    example = ROOT / 'tools' / 'misc' / 'predict_onnx.py'
    assert 'mmscpnet.' not in example.read_text()
    photos = [str(trained / f'{i}.png') for i in range(3)]
    served = subprocess.run(
        [sys.executable, '-I', str(example), str(out), *photos],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    expected = pytorch_scores(trained)
    assert len(served) == 15
    for line in served:
        path, label, score = line.split('\t')
        wanted = expected[path][about['classes'].index(label)]
        assert abs(float(score) - wanted) < 1e-4


def write_decisions(path, classes):
    decisions = Decisions(tuple(classes), np.full(len(classes), 0.5))
    path.write_text(json.dumps(decisions.to_json()))


def pytorch_scores(trained):
    """By the model and pipeline themselves."""
    from mmengine.dataset import Compose

    config = Config.fromfile(trained / 'config.py')
    model = MODELS.build(config.model)
    state = torch.load(trained / 'best.pth', weights_only=True)
    model.load_state_dict(state['state_dict'])
    model.eval()
    compose = Compose(config.test_dataloader.dataset.dataset.pipeline)
    scores = {}
    for i in range(3):
        path = str(trained / f'{i}.png')
        image = compose(dict(img_path=path))['inputs']
        batch = dict(inputs=image[None], data_samples=None)
        with torch.no_grad():
            scores[path] = model.test_step(batch)[0].pred_score.numpy()
    return scores


def test_torch_export_in_half_precision(export, trained, tmp_path, capsys):
    whole, half = tmp_path / 'whole.pt2', tmp_path / 'half.pt2'
    for out, option in [(whole, []), (half, ['--fp16'])]:
        photos = ['--photos', trained / '0.png']
        export('--format', 'torch-export', '--out', out, *photos, *option)
        assert 'on 1 photos' in capsys.readouterr().out
    assert half.stat().st_size < 0.75 * whole.stat().st_size
    images = np.random.default_rng(1).uniform(0, 255, (1, 3, 64, 64))
    scores = [
        open_exported(str(out))[0](images.astype(np.float32)) for out in (whole, half)
    ]
    assert scores[1].dtype == np.float32
    assert 0 < np.abs(scores[0] - scores[1]).max() < 1e-2


def test_existing_file_is_kept(export, tmp_path):
    out = tmp_path / 'model.onnx'
    out.write_text('mine')
    with pytest.raises(ValueError, match='--overwrite'):
        export('--out', out)
    assert out.read_text() == 'mine'


def test_a_file_that_differs_is_not_called_good(tool, export, tmp_path, monkeypatch):
    import mmscpnet.deployment as deployment

    def wrong(path):
        run, about = open_exported(path)
        return (lambda images: run(images) + 0.01), about

    monkeypatch.setattr(deployment, 'open_exported', wrong)
    with pytest.raises(SystemExit, match='differs from the model'):
        export('--format', 'torch-export', '--out', tmp_path / 'model.pt2')


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--out', 'model.pt2'], 'must end with .onnx'),
        (['--shape', '0'], '--shape takes'),
        (['--num-photos', '0'], '--num-photos'),
    ],
)
def test_bad_arguments(export, capsys, arguments, message):
    with pytest.raises(SystemExit):
        export(*arguments)
    assert message in capsys.readouterr().err


def test_bad_inputs(export, trained, tmp_path):
    with pytest.raises(FileNotFoundError, match='--photos'):
        export('--out', tmp_path / 'a.onnx', '--photos', tmp_path / 'none.png')
    with pytest.raises(ValueError, match='test_dataloader.dataset'):
        pipeline = 'test_dataloader.dataset.dataset.pipeline.1.edge=long'
        export('--out', tmp_path / 'a.onnx', '--cfg-options', pipeline)
    photo = ['--photos', trained / '0.png']
    with pytest.raises(ValueError, match=r'makes \(64, 64\) .* to take \(32, 32\)'):
        export('--out', tmp_path / 'a.onnx', '--shape', '32', *photo)
    assert not list(tmp_path.iterdir())
    write_decisions(tmp_path / 'others.json', ['cat', 'dog', 'sea', 'sky', 'sun'])
    with pytest.raises(ValueError, match="without a threshold: 'traffic light'"):
        thresholds = ['--thresholds', tmp_path / 'others.json']
        export('--out', tmp_path / 'a.onnx', *photo, *thresholds)
    assert not (tmp_path / 'a.onnx').exists()


def test_file_of_another_program(tmp_path):
    path = tmp_path / 'other.pt2'
    program = torch.export.export(torch.nn.Identity(), (torch.ones(1),))
    torch.export.save(program, str(path))
    with pytest.raises(ValueError, match='was not written by'):
        open_exported(str(path))
