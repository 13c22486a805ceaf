import pytest

from mmscpnet.benchmarks import cell_config, config_hash, load_grid
from tests.shared import ROOT

BASELINE = ROOT / 'configs/baselines/linear-frozen_effnet-lite0_1xb128_corel5k74'


@pytest.fixture
def write(tmp_path):
    """Write a grid of two rows; a text of it may be replaced."""

    def make(old='', new=''):
        text = f"""title = 'Losses'
reference = 'AN'
options = {{'train_dataloader.batch_size': 64}}
columns = [
    dict(name='single'),
    dict(name='few', options={{'train_dataloader.batch_size': 32}}),
]
rows = [
    dict(name='AN', config='{BASELINE}-spml-an.py', published=dict(few=70.5)),
    dict(
        name='Full labels',
        config='{BASELINE}-full.py',
        columns=['single'],
        options={{'model.head.dropout': 0.25}},
        note='ceiling',
    ),
]
"""
        assert old in text
        path = tmp_path / 'grid.py'
        path.write_text(text.replace(old, new, 1))
        return path

    return make


def test_cells(write):
    grid = load_grid(write(), seeds=2)
    assert [cell.name for cell in grid.cells] == [
        'AN/single/seed0',
        'AN/single/seed1',
        'AN/few/seed0',
        'AN/few/seed1',
        'Full_labels/single/seed0',
        'Full_labels/single/seed1',
    ]
    assert grid.published == {('AN', 'few'): 70.5}
    assert grid.notes == {'Full labels': 'ceiling'}
    assert len(load_grid(write()).cells) == 9  # three seeds unless told otherwise


def test_options_seeds_and_budget(write):
    grid = load_grid(write(), seeds=2)
    cells = {cell.name: cell for cell in grid.cells}
    an = cell_config(cells['AN/few/seed1'], epochs=15)
    assert an.train_dataloader.batch_size == 32  # column after grid
    assert an.randomness.seed == 1
    masking = an.train_dataloader.dataset.dataset.pipeline[1]
    assert masking == dict(type='SinglePositiveLabel', seed=1)
    assert an.train_cfg.max_epochs == 15 and an.param_scheduler.total_epochs == 15
    own = cells['AN/few/seed1']
    own = own._replace(options={**own.options, 'param_scheduler.total_epochs': 7})
    own = cell_config(own, epochs=1)
    assert own.train_cfg.max_epochs == 1 and own.param_scheduler.total_epochs == 7
    full = cell_config(cells['Full_labels/single/seed1'])
    assert full.train_dataloader.batch_size == 64
    assert full.model.head.dropout == 0.25
    # The split of the photos is part of the data, not of the labels.
    assert full.train_dataloader.dataset.seed == 0
    hashes = {config_hash(cell_config(cell)) for cell in grid.cells}
    assert len(hashes) == 6
    again = cell_config(cells['Full_labels/single/seed1'])
    assert config_hash(again) == config_hash(full)


def test_seed_in_an_option(write):
    options = """'randomness.diff_rank_seed': '{seed}',
            'train_dataloader.dataset.dataset.pipeline.0': dict(
                type='LoadX', files=['a_{seed}.npy', 3, '{}']
            ),"""
    grid = load_grid(write("'model.head.dropout': 0.25", options), seeds=2)
    for seed, cell in enumerate(grid.cells[-2:]):
        cfg = cell_config(cell)
        loading = cfg.train_dataloader.dataset.dataset.pipeline[0]
        assert loading == dict(type='LoadX', files=[f'a_{seed}.npy', 3, '{}'])
        assert cfg.randomness.diff_rank_seed == seed


def test_config_of_a_row_by_column(write):
    configs = f"dict(single='{BASELINE}-full.py', few='{BASELINE}-spml-an.py')"
    grid = load_grid(write(f"config='{BASELINE}-spml-an.py'", f'config={configs}'), 1)
    found = [(c.name, c.config.stem.split('_')[-1]) for c in grid.cells]
    assert found[:2] == [
        ('AN/single/seed0', 'corel5k74-full'),
        ('AN/few/seed0', 'corel5k74-spml-an'),
    ]
    wrong = configs.replace('few=', 'many=')
    with pytest.raises(ValueError, match="names the column 'many'"):
        load_grid(write(f"config='{BASELINE}-spml-an.py'", f'config={wrong}'))
    short = f"dict(single='{BASELINE}-full.py')"
    with pytest.raises(ValueError, match="nor column 'few' names a config"):
        load_grid(write(f"config='{BASELINE}-spml-an.py'", f'config={short}'))


@pytest.mark.parametrize(
    'old, new, error, message',
    [
        ('-full.py', '-none.py', FileNotFoundError, r'py:12: the config .*-none'),
        ("name='Full labels'", "name='AN'", ValueError, r"11: row 'AN' occurs twice"),
        ("name='Full labels'", 'name="AN"', ValueError, r"11: row 'AN' occurs twice"),
        (
            'rows = [',
            f"""rows = [
    dict(name='A N', config='{BASELINE}-spml-wan.py'),
    dict(name='A_N', config='{BASELINE}-spml-gr.py'),""",
            ValueError,
            "grid.py:10: rows 'A N' and 'A_N' .* the folder 'A_N/single/seed0'",
        ),
        (
            'rows = [',
            f"rows = [\n    dict(name='Twin', config='{BASELINE}-spml-an.py'),",
            ValueError,
            "grid.py:10: rows 'Twin' and 'AN' are the same run in column 'single'",
        ),
        (
            'rows = [',
            f"""_losses = dict(Wrong='none')
rows = [
    *[dict(name=n, config=f'{BASELINE}-{{f}}.py') for n, f in _losses.items()],""",
            FileNotFoundError,
            "grid.py:8: the config .*-none.py' of row 'Wrong'",
        ),
        (
            'options = {',
            "options = {'test_evaluator.prefix': 'other', ",
            ValueError,
            "metric 'multi-label/mAP' is not reported by test_evaluator of row 'AN'",
        ),
        ("name='few'", "name='single'", ValueError, r"grid.py:6: column 'single'"),
        ("reference = 'AN'", "reference = 'ANN'", ValueError, 'grid.py:2: reference'),
        ("note='c", "notes='c", ValueError, r'a row has an unknown key'),
        ("columns=['single']", "columns=['many']", ValueError, "the column 'many'"),
        ("title = 'Losses'", '', ValueError, 'title is missing'),
        ('dropout', 'dropout.rate', ValueError, "row 'Full labels'"),
        (
            "title = 'Losses'",
            "title = 'Losses'; metric = 'multi-label/mIoU'",
            ValueError,
            "grid.py:1: metric 'multi-label/mIoU' is not reported",
        ),
        ("title = 'Losses'", "title = ''; seeds = 0", ValueError, 'title'),
        ("reference = 'AN'", 'seeds = 0', ValueError, 'grid.py:2: seeds must'),
    ],
)
def test_refused_with_the_line(write, old, new, error, message):
    with pytest.raises(error, match=message):
        load_grid(write(old, new))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='grid file'):
        load_grid(tmp_path / 'none.py')
