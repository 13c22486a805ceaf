"""``tools/test.py``: scores and metrics of a checkpoint, and what it refuses."""

import json
import pickle

import pytest
import torch


@pytest.fixture(scope='module')
def trained(tool, config, tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    tool('train.py').main([str(config), '--work-dir', str(folder), '--seed', '1'])
    return folder


@pytest.fixture
def test_tool(tool, config, trained, tmp_path):
    module = tool('test.py')

    def run(*arguments, checkpoint=trained / 'epoch_2.pth'):
        work = ['--work-dir', str(tmp_path / 'work')]
        module.main([str(config), str(checkpoint), *work, *map(str, arguments)])

    return run


def logged_accuracy(folder):
    lines = next(folder.glob('*/vis_data/scalars.json')).read_text().splitlines()
    return [
        entry['accuracy/top1']
        for entry in map(json.loads, lines)
        if 'step' in entry and 'accuracy/top1' in entry
    ]


def test_reloaded_checkpoint_gives_the_same_metric(test_tool, trained, tmp_path):
    out = tmp_path / 'new' / 'metrics.json'
    test_tool('--out', out, '--out-item', 'metrics')
    metrics = json.loads(out.read_text())
    assert metrics['accuracy/top1'] == logged_accuracy(trained)[-1]


def test_scores_agree_between_formats(test_tool, tmp_path):
    test_tool('--out', tmp_path / 'a.json')
    test_tool('--out', tmp_path / 'a.pkl')
    scores = json.loads((tmp_path / 'a.json').read_text())
    samples = pickle.loads((tmp_path / 'a.pkl').read_bytes())
    assert len(scores) == len(samples) == 8
    assert [len(entry['pred_score']) for entry in scores] == [2] * 8
    for entry, sample in zip(scores, samples):
        assert entry['img_path'] == sample['img_path']
        assert entry['pred_score'] == sample['pred_score'].tolist()
        assert entry['gt_label'] == sample['gt_label'].tolist()


def test_flip_augmentation_averages_two_views(tool, config, trained, tmp_path):
    """Without tta_model in the config: mean of the scores of image and mirror image."""
    flips = """
_base_ = [{base!r}]
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(32, 32)),
            dict(type='RandomFlip', prob={prob}),
            dict(type='PackInputs'),
        ]
    )
)
"""
    scores = {}
    for name, prob, arguments in (
        ('plain', 0.0, []),
        ('flipped', 1.0, []),
        ('both', 0.0, ['--tta']),
    ):
        path = tmp_path / f'{name}.py'
        path.write_text(flips.format(base=str(config), prob=prob))
        out = tmp_path / f'{name}.json'
        work = ['--work-dir', str(tmp_path / name), '--out', str(out)]
        checkpoint = str(trained / 'epoch_2.pth')
        tool('test.py').main([str(path), checkpoint, *work, *arguments])
        entries = json.loads(out.read_text())
        scores[name] = torch.tensor([entry['pred_score'] for entry in entries])
    assert not torch.allclose(scores['plain'], scores['flipped'], atol=1e-6)
    mean = (scores['plain'] + scores['flipped']) / 2
    torch.testing.assert_close(scores['both'], mean)


def test_existing_results_are_kept(test_tool, tmp_path):
    out = tmp_path / 'a.json'
    out.write_text('mine')
    with pytest.raises(ValueError, match='--overwrite'):
        test_tool('--out', out)
    assert out.read_text() == 'mine'
    test_tool('--out', out, '--overwrite')
    assert len(json.loads(out.read_text())) == 8


def test_pictures(test_tool, tmp_path):
    test_tool('--show-dir', tmp_path / 'pictures', '--interval', '4')
    assert len(list((tmp_path / 'pictures').glob('*.png'))) == 2


def test_checkpoint_with_code_is_refused(test_tool, tmp_path):
    class Code:
        def __reduce__(self):
            return print, ('code ran',)

    torch.save({'state_dict': {}, 'extra': Code()}, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='A checkpoint was refused'):
        test_tool(checkpoint=tmp_path / 'bad.pth')


def test_missing_files(test_tool, tool, trained, tmp_path):
    with pytest.raises(FileNotFoundError, match='The checkpoint .*none.pth'):
        test_tool(checkpoint=tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='The config file .*none.py'):
        tool('test.py').main(['none.py', str(trained / 'epoch_1.pth')])


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--out-item', 'metrics'], 'name the file by --out'),
        (['--out', 'a.csv'], '--out must end with'),
        (['--tta', '--show-dir', 'x'], 'use them apart'),
    ],
)
def test_wrong_combinations(test_tool, capsys, arguments, message):
    with pytest.raises(SystemExit):
        test_tool(*arguments)
    assert message in capsys.readouterr().err


def test_show_needs_the_hook(test_tool):
    with pytest.raises(ValueError, match='VisualizationHook'):
        test_tool('--show-dir', 'x', '--cfg-options', 'default_hooks.visualization=')


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
def test_amp_needs_an_accelerator(test_tool):
    with pytest.raises(ValueError, match='--amp needs a GPU'):
        test_tool('--amp')
