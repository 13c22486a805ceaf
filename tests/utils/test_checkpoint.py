"""Checkpoints of the Runner load, anything that could run code does not."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from mmscpnet.utils import checkpoint


@pytest.fixture
def forbidden(monkeypatch):
    """The protection, for one test."""
    before = torch.serialization.get_safe_globals()
    monkeypatch.setenv(checkpoint.FORCE_VARIABLE, '0')
    checkpoint.forbid_pickled_code()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)


class RunsCode:
    def __reduce__(self):
        return os.getenv, ('HOME',)


class ReachesThroughHistory:
    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


class ReachesElsewhere:
    def __reduce__(self):
        return getattr, (torch.Tensor, 'tolist')


def test_message_hub_survives(tmp_path, forbidden):
    hub = MessageHub('test_message_hub_survives')
    for value in (1.0, 3.0, 2.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('best', np.float64(0.25))
    hub.update_info('mask', np.array([True, False]))
    hub.update_info('index', np.arange(3, dtype=np.int32))
    path = tmp_path / 'hub.pth'
    torch.save({'message_hub': hub.state_dict(), 'weight': torch.ones(2)}, path)

    loaded = torch.load(path, weights_only=True)['message_hub']
    history = loaded['log_scalars']['train/loss']
    assert history.mean() == 2.0 and history.max() == 3.0
    assert loaded['runtime_info']['best'] == 0.25
    assert loaded['runtime_info']['mask'].tolist() == [True, False]
    assert loaded['runtime_info']['index'].dtype == np.int32


@pytest.mark.parametrize(
    'content', [RunsCode(), ReachesThroughHistory(), ReachesElsewhere()]
)
def test_code_is_refused_even_when_asked_for(tmp_path, forbidden, content):
    path = tmp_path / 'bad.pth'
    torch.save({'state_dict': content}, path)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=False)


def test_refusal_is_explained(tmp_path, forbidden):
    path = tmp_path / 'bad.pth'
    torch.save({'state_dict': RunsCode()}, path)
    with (
        pytest.raises(ValueError, match='state_dict alone'),
        checkpoint.explain_refused_checkpoint(),
    ):
        torch.load(path)


def test_check_file(tmp_path):
    file = tmp_path / 'a.pth'
    file.touch()
    checkpoint.check_file(str(file), 'The checkpoint')
    checkpoint.check_file('https://host/a.pth', 'The checkpoint')
    for path in (tmp_path, tmp_path / 'b.pth'):
        with pytest.raises(FileNotFoundError, match='The checkpoint'):
            checkpoint.check_file(str(path), 'The checkpoint')


def save(path, iteration=1, size=5000):
    path.parent.mkdir(exist_ok=True)
    torch.save({'meta': {'iter': iteration}, 'weight': torch.ones(size)}, path)
    return path


def cut_off(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b'')


def overwrite(path):
    path.write_bytes(b'<html>not found</html>')


def zero(path):
    path.write_bytes(bytes(len(path.read_bytes())))


DAMAGES = {
    cut_off: 'cut off',
    flip_a_bit: 'is damaged',
    empty: 'empty',
    overwrite: 'not a checkpoint',
    zero: 'not a checkpoint',
}


@pytest.mark.parametrize('harm', DAMAGES)
def test_damage(tmp_path, harm):
    path = save(tmp_path / 'a.pth')
    assert checkpoint.damage(path) is None
    harm(path)
    assert DAMAGES[harm] in checkpoint.damage(path)
    with pytest.raises(ValueError, match='load_from .*a.pth.*cannot be used'):
        checkpoint.check_whole(str(path), 'load_from')


def test_other_formats_are_left_to_their_readers(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save({'a': torch.ones(1)}, path, _use_new_zipfile_serialization=False)
    checkpoint.check_whole(str(path), 'load_from')
    checkpoint.check_whole(str(tmp_path), 'load_from')
    checkpoint.check_whole('https://host/a.pth', 'load_from')
    with pytest.raises(FileNotFoundError, match='load_from'):
        checkpoint.check_whole(str(tmp_path / 'none.pth'), 'load_from')


def test_latest_checkpoint(tmp_path):
    assert checkpoint.latest_checkpoint(str(tmp_path)) == (None, [])
    assert checkpoint.latest_checkpoint(str(tmp_path / 'none')) == (None, [])
    # By iterations: names and times may say otherwise.
    paths = {i: save(tmp_path / f'epoch_{i}.pth', 10 * i) for i in (10, 9, 8)}
    save(tmp_path / 'best_x_epoch_99.pth', 990)
    assert checkpoint.latest_checkpoint(str(tmp_path)) == (paths[10], [])
    # The run says itself which it is, also if the folder was moved since.
    pointer = tmp_path / 'last_checkpoint'
    for folder in (tmp_path, Path('/gone/work')):
        pointer.write_text(str(folder / 'epoch_9.pth'))
        assert checkpoint.latest_checkpoint(str(tmp_path)) == (paths[9], [])
    # It may lie elsewhere.
    other = save(tmp_path / 'elsewhere' / 'iter_3.pth', 3)
    pointer.write_text(str(other))
    assert checkpoint.latest_checkpoint(str(tmp_path)) == (other, [])
    # A pointer that was cut off points nowhere.
    for text in ('', 'wor', '/no'):
        pointer.write_text(text)
        assert checkpoint.latest_checkpoint(str(tmp_path)) == (paths[10], [])


@pytest.mark.parametrize('harm', DAMAGES)
def test_the_one_before_is_taken(tmp_path, harm):
    paths = [save(tmp_path / f'epoch_{i}.pth', i) for i in (1, 2, 3)]
    (tmp_path / 'last_checkpoint').write_text(str(paths[2]))
    harm(paths[2])
    found, warnings = checkpoint.latest_checkpoint(str(tmp_path))
    assert found == paths[1]
    assert len(warnings) == 1 and 'epoch_3.pth is left out' in warnings[0]
    harm(paths[0])
    harm(paths[1])
    with pytest.raises(ValueError, match='is whole.*epoch_3.pth.*--overwrite'):
        checkpoint.latest_checkpoint(str(tmp_path))
