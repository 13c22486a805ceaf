"""``tools/test.py --out``, ``--labels``, and ``analysis_tools/eval_results.py``."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mmscpnet.evaluation import MultiLabelMAP
from tests.apis.small_models import (
    CLASSES,
    linear_head,
    make_config,
    make_photos,
    save_model,
    scp_head,
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('model')
    make_photos(folder)
    save_model(make_config(folder, scp_head()), folder)
    return folder


@pytest.fixture
def test_tool(tool, folder, tmp_path):
    def run(*arguments, config=folder / 'config.py', checkpoint=folder / 'weights.pth'):
        given = [config, *([checkpoint] if checkpoint else []), *arguments]
        work = ['--work-dir', str(tmp_path / 'work')]
        tool('test.py').main([*map(str, given), *work])

    return run


@pytest.fixture
def evaluate(tool, capsys):
    """Run the tool; the measures it printed, by name."""

    def run(*arguments):
        capsys.readouterr()
        tool('analysis_tools/eval_results.py').main([*map(str, arguments)])
        lines = capsys.readouterr().out.splitlines()
        return dict(line.split(': ') for line in lines if line.startswith('multi-'))

    return run


@pytest.fixture(scope='module')
def written(tool, folder, tmp_path_factory):
    """The scores in both formats, and the measures of the test."""
    out = tmp_path_factory.mktemp('written')
    for name, item in (('a.npz', []), ('a.json', []), ('m.json', ['metrics'])):
        item = ['--out-item', *item] if item else []
        files = [folder / 'config.py', folder / 'weights.pth']
        given = [*files, '--out', out / name, *item, '--work-dir', out / 'work']
        tool('test.py').main([*map(str, given)])
    return out


@pytest.fixture
def logged(written, tmp_path):
    """What the test has measured; its files are in ``tmp_path``."""
    for name in ('a.npz', 'a.json'):
        shutil.copy(written / name, tmp_path)
    return json.loads((written / 'm.json').read_text())


def test_measures_of_the_file_are_those_of_the_test(logged, evaluate, folder, tmp_path):
    assert len(logged) > 15 and 'multi-label/mAP_voc2012' in logged
    for name in ('a.npz', 'a.json'):
        out = tmp_path / f'{name}.measures.json'
        evaluate(tmp_path / name, folder / 'config.py', '--out', out)
        assert json.loads(out.read_text()) == logged
        out = tmp_path / f'{name}.default.json'
        printed = evaluate(tmp_path / name, '--out', out)
        found = json.loads(out.read_text())
        assert found == {k: v for k, v in logged.items() if 'voc2012' not in k}
        assert printed == {k: f'{v:.4f}' for k, v in found.items()}


def test_the_file_says_what_it_holds(logged, tmp_path):
    with np.load(tmp_path / 'a.npz', allow_pickle=False) as file:
        content = dict(file)
    assert content['scores'].shape == (6, 5) and content['scores'].dtype == np.float32
    assert content['classes'].tolist() == CLASSES
    assert [Path(path).name for path in content['img_path']] == [
        f'{i}.png' for i in range(6)
    ]
    # One known positive, one known negative, three unknown.
    assert (content['targets'] == 1).sum(1).tolist() == [1] * 6
    assert (content['targets'] == -1).sum(1).tolist() == [3] * 6
    entries = json.loads((tmp_path / 'a.json').read_text())
    scores = np.array([entry['pred_score'] for entry in entries], np.float32)
    np.testing.assert_array_equal(scores, content['scores'])


def test_options(logged, evaluate, tmp_path):
    with np.load(tmp_path / 'a.npz') as file:
        scores, targets = file['scores'], file['targets']
    found = evaluate(
        *(tmp_path / 'a.npz', '--thr', '0.6', '--topk', '1', '--empty', 'skip'),
        *('--average-mode', 'voc2007_11point', '--no-table'),
    )
    expected = MultiLabelMAP.calculate(
        scores, targets, 0.6, 1, ['voc2007_11point'], 'skip'
    )
    assert found == {f'multi-label/{k}': f'{v:.4f}' for k, v in expected.items()}


def test_the_table_has_names(logged, tool, tmp_path, capsys, folder):
    run = tool('analysis_tools/eval_results.py').main
    run([str(tmp_path / 'a.npz')])
    captured = capsys.readouterr()
    assert 'traffic light' in captured.out + captured.err
    run([str(tmp_path / 'a.npz'), '--no-table'])
    captured = capsys.readouterr()
    assert 'traffic light' not in captured.out + captured.err


def test_what_is_refused(logged, evaluate, test_tool, folder, tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match='no scores file'):
        evaluate('none.npz')
    (tmp_path / 'a.pkl').write_bytes(b'')
    with pytest.raises(ValueError, match='.npz and .json'):
        evaluate(tmp_path / 'a.pkl')
    out = tmp_path / 'out.json'
    out.write_text('mine')
    with pytest.raises(ValueError, match='--overwrite'):
        evaluate(tmp_path / 'a.npz', '--out', out)
    assert out.read_text() == 'mine'
    evaluate(tmp_path / 'a.npz', '--out', out, '--overwrite')
    assert 'multi-label/mAP' in json.loads(out.read_text())
    for arguments in (['--cfg-options', 'a=1'], [folder / 'config.py', '--thr', 0.3]):
        with pytest.raises(SystemExit):
            evaluate(tmp_path / 'a.npz', *arguments)
    with pytest.raises(ValueError, match='exists already'):
        test_tool('--out', tmp_path / 'a.npz')
    test_tool('--out', tmp_path / 'a.npz', '--overwrite')
    assert len(list(tmp_path.glob('a*.npz'))) == 1
    with pytest.raises(SystemExit):
        test_tool('--out', tmp_path / 'b.npz', '--out-item', 'metrics')


def test_other_labels(test_tool, folder, tmp_path):
    """The test set of another label set, on the weights of this one."""
    names = ['snow', *CLASSES[::-1]]
    data = json.loads((folder / 'test.json').read_text())
    data['metainfo']['classes'] = names
    (folder / 'other.json').write_text(json.dumps(data))
    labels = tmp_path / 'labels.txt'
    labels.write_text('\n'.join(names))
    options = [
        '--cfg-options',
        'test_dataloader.dataset.ann_file=other.json',
        f'test_dataloader.dataset.classes={labels}',
    ]
    out = tmp_path / 'a.npz'
    test_tool('--labels', labels, '--out', out, *options)
    from mmscpnet.apis import MultiLabelInferencer

    inferencer = MultiLabelInferencer(folder / 'config.py', folder / 'weights.pth')
    inferencer.set_labels(names)
    with np.load(out) as file:
        assert file['classes'].tolist() == names
        results = inferencer(file['img_path'].tolist())
        found = np.stack([result['scores'] for result in results])
        np.testing.assert_allclose(found, file['scores'], atol=1e-6)
    # Without --labels the labels of model and data differ.
    with pytest.raises(ValueError, match='differ'):
        test_tool(*options)


def test_labels_of_a_tied_model(test_tool, tmp_path):
    make_photos(tmp_path)
    config, weights = save_model(make_config(tmp_path, linear_head()), tmp_path)
    with pytest.raises(ValueError, match='cannot take others'):
        test_tool('--labels', 'voc20', config=config, checkpoint=weights)


def test_without_a_checkpoint_the_model_is_as_its_config_starts_it(
    test_tool, folder, tmp_path
):
    out = tmp_path / 'a.npz'
    test_tool('--out', out, checkpoint=None)
    with np.load(out) as file:
        assert torch.from_numpy(file['scores']).std(dim=1).min() > 0
