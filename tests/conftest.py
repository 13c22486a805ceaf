"""What all tests share."""

import random

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def seed():
    """Each test draws the same random numbers, in any order of the tests."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    """Configs are dumped as they are: to format each takes longer than to train it."""
    monkeypatch.setattr(
        'yapf.yapflib.yapf_api.FormatCode', lambda text, **kwargs: (text, False)
    )
