"""Reports appear whole or not at all."""

import pytest

from mmscpnet.visualization.report_folder import report_folder


def test_files_appear_together(tmp_path):
    out = tmp_path / 'deep' / 'out'
    with report_folder(out) as folder:
        (folder / 'a.md').write_text('new')
        (folder / 'b.png').write_text('b')
        assert not out.exists()
    assert {p.name: p.read_text() for p in out.iterdir()} == {
        'a.md': 'new',
        'b.png': 'b',
    }
    assert list(out.parent.iterdir()) == [out]


def test_failure_leaves_what_was_there(tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'a.md').write_text('old')
    with pytest.raises(RuntimeError), report_folder(out, overwrite=True) as folder:
        (folder / 'a.md').write_text('new')
        raise RuntimeError
    assert (out / 'a.md').read_text() == 'old'
    assert list(tmp_path.iterdir()) == [out]
    (out / 'other.txt').write_text('kept')
    with report_folder(out, overwrite=True) as folder:
        (folder / 'a.md').write_text('new')
    assert (out / 'a.md').read_text() == 'new'
    assert (out / 'other.txt').read_text() == 'kept'


def test_nothing_is_overwritten_silently(tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'mine.txt').write_text('x')
    with pytest.raises(ValueError, match='not empty.*--overwrite'), report_folder(out):
        raise AssertionError('the block must not run')
    with pytest.raises(ValueError, match='is a file'), report_folder(out / 'mine.txt'):
        raise AssertionError('the block must not run')
