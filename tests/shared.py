"""Data beside the project that tests use where it is there."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get('MMSCPNET_SHARED', ROOT.parent / 'shared'))


def shared_file(name: str) -> Path:
    """A file of the shared data; the test is skipped where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f'needs {name} of the shared data (MMSCPNET_SHARED)')
    return path
