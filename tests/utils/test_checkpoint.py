"""Checkpoints of the Runner load, anything that could run code does not."""

import os
import pickle

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
