"""``tools/benchmarks/data_pipeline.py``: runs, and compares like with like."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.shared import ROOT

COREL = ROOT / 'configs/scpnet/scpnet-frozen_effnet-lite0_1xb128_corel5k74-spml.py'


@pytest.fixture
def benchmark(tool):
    return tool('benchmarks/data_pipeline.py')


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for index in range(6):
        coarse = rng.integers(0, 256, (8, 12, 3), np.uint8)
        photo = Image.fromarray(coarse).resize((192, 128), Image.Resampling.BICUBIC)
        photo.save(tmp_path / f'{index}.jpg')
    return tmp_path


def test_figures(benchmark, photos, tmp_path, capsys):
    out = tmp_path / 'figures.json'
    args = [str(photos), '--config', str(COREL), '--repeats', '8', '--out', str(out)]
    assert benchmark.main(args) == 0
    printed = capsys.readouterr().out
    assert 'times as fast' in printed and 'RandAugment' in printed
    found = json.loads(out.read_text())
    assert found['photos'] == 6 and found['ratio'] > 0
    ours, theirs = found['mmscpnet'], found['pillow']
    assert set(ours['milliseconds']) == set(theirs['milliseconds'])
    assert sum(ours['milliseconds'].values()) < 1.5 * ours['total_milliseconds']
    # Mean, deviation and roughness of the two weak views; few photos, many draws.
    np.testing.assert_allclose(ours['look'][:2], theirs['look'][:2], rtol=0.15)
    np.testing.assert_allclose(ours['look'][2], theirs['look'][2], rtol=0.3)
    with pytest.raises(FileExistsError, match='figures.json exists'):
        benchmark.main(args)


def test_refusals(benchmark, photos, tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no photos'):
        benchmark.main([str(tmp_path / 'none')])
    config = tmp_path / 'other.py'
    config.write_text(
        f'_base_ = [{str(COREL)!r}]\n'
        "train_pipeline = [dict(type='LoadImageFromFile'), dict(type='ColorJitter', "
        "brightness=0.5), dict(type='AntialiasedRandomResizedCrop', scale=64)]\n"
        'train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))\n'
    )
    with pytest.raises(ValueError, match='ColorJitter, which this benchmark does not'):
        benchmark.main([str(photos), '--config', str(config)])
