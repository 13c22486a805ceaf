"""The manifest and the comparison of counts."""

import hashlib
import json

import pytest

from mmscpnet.datasets.formats import check_counts, write_manifest
from mmscpnet.version import __version__

SPLITS = {'train': {'images': 2, 'per_class': {'a "b"': {'positives': 1}}}}


def test_manifest_holds_what_was_given(tmp_path):
    source = tmp_path / 'source.csv'
    source.write_bytes(b'x' * 3_000_000)
    path = tmp_path / 'new' / 'manifest.json'
    arguments = dict(splits=SPLITS, inputs=[source], command=['a.py', '--b'], seed=3)
    write_manifest(path, **arguments)
    assert json.loads(path.read_text()) == {
        'tool': f'mmscpnet {__version__}',
        'command': ['a.py', '--b'],
        'seed': 3,
        'splits': SPLITS,
        'inputs': {source.as_posix(): hashlib.sha256(source.read_bytes()).hexdigest()},
    }
    before = path.read_bytes()
    write_manifest(path, **arguments)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_missing_input_leaves_no_manifest(tmp_path):
    path = tmp_path / 'manifest.json'
    with pytest.raises(FileNotFoundError):
        write_manifest(path, splits={}, inputs=[tmp_path / 'none'], command=[])
    assert list(tmp_path.iterdir()) == []


def test_overwriting_changes_no_byte(tmp_path):
    for name, more in (('a.json', []), ('b.json', ['--overwrite'])):
        command = ['tool.py', 'root', *more, '--check']
        write_manifest(tmp_path / name, splits={}, inputs=[], command=command)
    assert (tmp_path / 'a.json').read_bytes() == (tmp_path / 'b.json').read_bytes()
    content = json.loads((tmp_path / 'a.json').read_text())
    assert content['command'] == ['tool.py', 'root', '--check']


def test_mismatch_is_an_error_with_both_numbers(capsys):
    expected = {'train': {'images': 82081}, 'val': {'images': 1}}
    found = {'train': {'images': 82080}}
    with pytest.raises(ValueError) as error:
        check_counts(expected, found)
    assert 'train images: expected 82,081, found 82,080' in str(error.value)
    assert 'val images: expected 1, found none' in str(error.value)
    assert '--allow-mismatch' in str(error.value)
    shown = capsys.readouterr().err
    assert '82,081' in shown and '82,080' in shown and 'DIFFERS' in shown
    check_counts(expected, found, allow_mismatch=True, quiet=True)
    assert 'DIFFERS' in capsys.readouterr().err


def test_agreement_is_shown_unless_quiet(capsys):
    counts = {'train': {'images': 1234}}
    check_counts(counts, counts)
    assert '1,234' in capsys.readouterr().out
    check_counts(counts, counts, quiet=True)
    assert capsys.readouterr() == ('', '')
