"""Command lines of tools, run as from a shell by ``tests.distributed.forked``."""

import glob
import os
import runpy
import shlex
import sys

# What takes ten seconds, once for all lines.
import mmscpnet.apis
import mmscpnet.datasets
import mmscpnet.engine
import mmscpnet.evaluation
import mmscpnet.models
import mmscpnet.visualization  # noqa: F401


def run_line(line: str, folder: str, said: str) -> None:
    """Run ``python tools/...`` in a folder; its standard output goes to a file."""
    os.chdir(folder)
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'):
        os.environ.pop(name)
    python, *words = shlex.split(line)
    assert python == 'python', line
    # A shell leaves a pattern as it is that nothing matches.
    words = [found for word in words for found in sorted(glob.glob(word)) or [word]]
    sys.argv = words
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT), sys.stdout.fileno())
    try:
        runpy.run_path(words[0], run_name='__main__')
    except SystemExit as end:
        if end.code:
            raise
