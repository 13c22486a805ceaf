"""The tools that time a model, on a tiny one."""

import json

import pytest

from mmscpnet.benchmarks.steps import run_apart
from tests.shrunken_configs import shrink

CONFIG = 'scpnet/scpnet_clip-rn50_1xb128_coco14-spml.py'
TOOLS = ('train_step', 'inference', 'scale_labels', 'recipes')


@pytest.fixture
def words(tmp_path):
    path = tmp_path / 'tiny.py'
    shrink(CONFIG, tmp_path).dump(path)
    return [str(path), '--rounds', '2', '--num-samples', '40']


def run(tool, name: str, words: list, out) -> dict:
    assert tool(f'benchmarks/{name}.py').main([*words, '--out', str(out)]) == 0
    return json.loads(out.read_text())


def test_train_step(tool, words, tmp_path, capsys):
    options = ['--num-labels', '5', '--batch-size', '2', '--reference']
    record = run(tool, 'train_step', [*words, *options], tmp_path / 'out.json')
    assert record['labels'] == 5 and record['ratios']['bare image tower'] == 1
    assert min(part['seconds'] for part in record['parts'].values()) > 0
    assert record['seconds'].keys() == {
        'bare image tower',
        'step',
        'divided step',
        'plain form',
    }
    assert 'text tower' in capsys.readouterr().out


def test_inference(tool, words, tmp_path):
    options = ['--num-labels', '5', '--batch-sizes', '1', '3', '--reference']
    record = run(tool, 'inference', [*words, *options], tmp_path / 'out.json')
    for size in (1, 3):
        found = record['batches'][str(size)]
        assert found.keys() == {'bare image tower', 'model', 'plain form'}
        for row in found.values():
            rate = row['images_a_second'] * row['milliseconds'] / 1e3
            assert rate == pytest.approx(size)


def test_scale_labels(tool, words, tmp_path):
    options = ['--sizes', '3', '9', '--batch-size', '2']
    record = run(tool, 'scale_labels', [*words, *options], tmp_path / 'out.json')
    assert [row['labels'] for row in record['sizes']] == [3, 9]
    assert all(row['peak_bytes'] > 1e8 for row in record['sizes'])
    assert isinstance(record['exponents']['seconds'], float)


def test_recipes(tool, words, tmp_path, capsys):
    names = ['--recipes', 'bf16']
    record = run(tool, 'recipes', [*words, *names], tmp_path / 'out.json')
    exact, bf16 = record['recipes']
    assert exact['recipe'] == 'exact' and exact['memory_ratio'] in (1, None)
    assert exact['ratio'] > 0 and exact['seconds'] > 0
    # This machine has none of the devices that it is for.
    assert 'AmpOptimizerWrapper' in bf16['error']
    assert 'not here' in capsys.readouterr().out


@pytest.mark.parametrize('name', TOOLS)
def test_existing_file_is_kept(tool, words, tmp_path, name):
    out = tmp_path / 'out.json'
    out.touch()
    with pytest.raises(FileExistsError, match='Choose another name'):
        tool(f'benchmarks/{name}.py').main([*words, '--out', str(out)])


@pytest.mark.parametrize(
    'name',
    ['no-teacher-grad', 'channels-last', 'accumulate-4', 'frozen', 'feature-bank'],
)
def test_each_recipe_steps(tool, words, name):
    module = tool('benchmarks/recipes.py')
    step = module.RecipeStep(module.RECIPES[name], module.parse_args(words))
    model = step.parts[0].model
    before = {k: v.clone() for k, v in model.state_dict().items()}
    step()
    moved = {k for k, v in model.state_dict().items() if not v.equal(before[k])} - {
        'head.pessl.state'
    }
    assert any(k.startswith('head.prompter') for k in moved)
    trained = any(k.startswith('backbone') for k in moved)
    assert trained == (name not in ('frozen', 'feature-bank'))


def test_a_process_that_fails_or_takes_too_long_says_so():
    with pytest.raises(RuntimeError, match='failed: no'):
        run_apart(['-c', 'raise SystemExit("no")'], 60)
    with pytest.raises(RuntimeError, match='took more than 0.01 s'):
        run_apart(['-c', 'import time; time.sleep(9)'], 0.01)


def test_wrong_words(tool, words, capsys):
    for name, options, message in (
        ('recipes', ['--batch-size', '6'], 'divide by 4'),
        ('scale_labels', ['--sizes', '5'], 'two numbers or more'),
        ('scale_labels', ['--classes', 'a.txt'], 'no --classes here'),
    ):
        with pytest.raises(SystemExit):
            tool(f'benchmarks/{name}.py').main([*words, *options])
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match='--rounds must be 1 or more'):
        tool('benchmarks/train_step.py').main([*words, '--rounds', '0'])
