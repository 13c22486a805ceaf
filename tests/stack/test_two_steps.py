"""The script for other builds of the stack, in the one that is installed."""

import os
import subprocess
import sys
from pathlib import Path


def test_two_steps():
    result = subprocess.run(
        [sys.executable, Path(__file__).with_name('two_steps.py')],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(Path(__file__).resolve().parents[2])},
    )
    assert result.returncode == 0, result.stderr
    assert 'resumed to step 4' in result.stdout
