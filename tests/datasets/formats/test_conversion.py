"""A run of a converter leaves everything or nothing."""

import json
import os
import signal

import pytest

from mmscpnet.datasets.formats import Conversion, LabelRecord

RECORDS = [LabelRecord('a.jpg', [0]), LabelRecord('b.jpg', [0, 1])]


def convert(out, records=RECORDS, expected=None, **kwargs):
    allow = kwargs.pop('allow_mismatch', False)
    with Conversion(out, ['x', 'y'], ['tool.py'], **kwargs) as run:
        run.write('train', records)
        run.finish([], expected, allow_mismatch=allow)


def test_files_of_a_run(tmp_path):
    out = tmp_path / 'new' / 'out'
    convert(out, expected={'train': {'images': 2, 'labels': 2}})
    assert sorted(path.name for path in out.iterdir()) == [
        'classes.txt',
        'manifest.json',
        'train.json',
    ]
    assert (out / 'classes.txt').read_text() == 'x\ny\n'
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['splits']['train']['per_class']['y']['positives'] == 1
    assert list(out.parent.iterdir()) == [out]


def interrupted(error):
    yield RECORDS[0]
    raise error


@pytest.mark.parametrize('error', [KeyboardInterrupt(), ValueError('x'), OSError()])
def test_interruption_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        convert(tmp_path / 'out', interrupted(error))
    assert list(tmp_path.iterdir()) == []


def test_termination_leaves_nothing(tmp_path):
    def records():
        yield RECORDS[0]
        os.kill(os.getpid(), signal.SIGTERM)
        yield RECORDS[1]

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        convert(tmp_path / 'out', records())
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_mismatch_leaves_what_was_there(tmp_path):
    out = tmp_path / 'out'
    convert(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match='expected 3, found 1'):
        convert(out, RECORDS[:1], {'train': {'images': 3}}, overwrite=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    convert(
        out, RECORDS[:1], {'train': {'images': 3}}, overwrite=True, allow_mismatch=True
    )
    assert len(json.loads((out / 'train.json').read_text())['data_list']) == 1


def test_used_folder_is_refused(tmp_path):
    (tmp_path / 'mine.txt').write_text('mine')
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        convert(tmp_path)
    convert(tmp_path, overwrite=True)
    assert (tmp_path / 'mine.txt').read_text() == 'mine'
    with pytest.raises(ValueError, match='is a file'):
        convert(tmp_path / 'mine.txt')
