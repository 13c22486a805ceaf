"""Files that appear together or not at all."""

import signal

import pytest

from mmscpnet.datasets.formats.staging import staged_files


@pytest.fixture
def targets(tmp_path):
    return [tmp_path / 'new' / name for name in ('a.json', 'b.png', 'manifest')]


def fill(stage, targets, text='x'):
    for path in targets:
        (stage / path.name).write_text(text)


def test_all_appear_and_nothing_else(targets):
    with staged_files(targets) as stage:
        fill(stage, targets)
        (stage / 'scratch').touch()
        assert not any(path.exists() for path in targets)
    assert sorted(targets[0].parent.iterdir()) == targets


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt, SystemExit])
def test_none_appears_after_an_error(targets, error):
    with pytest.raises(error), staged_files(targets) as stage:
        fill(stage, targets)
        raise error
    assert list(targets[0].parent.iterdir()) == []


def test_existing_files_need_permission(targets):
    targets[1].parent.mkdir()
    targets[1].write_text('mine')
    with (
        pytest.raises(ValueError, match=r'b\.png exists; choose another --out'),
        staged_files(targets),
    ):
        pass
    # What fails leaves them as they were.
    with pytest.raises(ValueError), staged_files(targets, overwrite=True) as stage:
        fill(stage, targets)
        raise ValueError
    assert targets[1].read_text() == 'mine'
    with staged_files(targets, overwrite=True) as stage:
        fill(stage, targets, 'new')
    assert [path.read_text() for path in targets] == ['new'] * 3


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGHUP'])
def test_termination_leaves_nothing(targets, name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit), staged_files(targets) as stage:
            fill(stage, targets)
            signal.raise_signal(number)
        assert list(targets[0].parent.iterdir()) == []
        assert signal.getsignal(number) == signal.SIG_DFL
        # As nohup leaves it.
        signal.signal(number, signal.SIG_IGN)
        with staged_files(targets) as stage:
            fill(stage, targets)
            signal.raise_signal(number)
        assert all(path.is_file() for path in targets)
    finally:
        signal.signal(number, before)
