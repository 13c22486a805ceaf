"""``tools/benchmarks/metric.py`` on a few samples."""

import json
import subprocess
import sys

import pytest

from tests.shared import ROOT

TOOL = ROOT / 'tools' / 'benchmarks' / 'metric.py'


def test_figures(tmp_path):
    out = tmp_path / 'metric.json'
    arguments = ['--sizes', '60x5', '--repeats', '1', '--positives', '0.3']
    command = [sys.executable, TOOL, *arguments, '--out', out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(out.read_text())['sizes'].values()
    assert row['largest_gap_to_sklearn'] < 1e-12
    assert row['ratio'] > 0 and 0 < row['mAP'] < 100 and row['peak_gigabytes'] > 0
    assert 'MultiLabelMAP' in done.stdout


def test_existing_file_is_kept(tool, tmp_path):
    out = tmp_path / 'metric.json'
    out.touch()
    with pytest.raises(FileExistsError):
        tool('benchmarks/metric.py').main(['--out', str(out)])


def test_bad_sizes(tool, capsys):
    for size in ('60', '60x0', 'axb'):
        with pytest.raises(SystemExit):
            tool('benchmarks/metric.py').main(['--sizes', size])
    assert '--sizes are written like 50720x81' in capsys.readouterr().err
