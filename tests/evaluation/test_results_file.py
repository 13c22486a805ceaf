import json
import os

import pytest

from mmscpnet.evaluation.results_file import write_results


def test_written_whole_and_never_overwritten(tmp_path):
    path = tmp_path / 'deep' / 'results.json'
    paths = [write_results(str(path), dict(run=i, name='é')) for i in range(4)]
    assert paths[0] == str(path)
    assert len(set(paths)) == 4
    found = sorted(os.listdir(path.parent))
    assert len(found) == 4 and all(name.startswith('results') for name in found)
    for i, written in enumerate(paths):
        with open(written, encoding='utf-8') as file:
            assert json.load(file) == dict(run=i, name='é')


def test_without_hard_links(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError('no links here')

    monkeypatch.setattr(os, 'link', refuse)
    path = str(tmp_path / 'results.json')
    written = [write_results(path, dict(run=i)) for i in range(2)]
    assert written[0] == path and written[1] != path
    assert len(os.listdir(tmp_path)) == 2


def test_nothing_is_left_of_what_cannot_be_written(tmp_path):
    with pytest.raises(ValueError):
        write_results(str(tmp_path / 'a.json'), dict(value=float('nan')))
    assert os.listdir(tmp_path) == []
