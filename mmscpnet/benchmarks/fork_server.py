"""The process that forks the runs of a grid; see ``ForkedProcesses``.

``python -m mmscpnet.benchmarks.fork_server FD``: over that pipe it receives a script
with its arguments and a log file and sends, when the run has ended, its status and peak
memory (kilobytes). Any message in between, or the end of the parent, ends the run.
"""

import contextlib
import os
import runpy
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import mmpretrain.models  # noqa: F401
from mmengine.runner import Runner  # noqa: F401

import mmscpnet.datasets
import mmscpnet.engine
import mmscpnet.evaluation
import mmscpnet.models
import mmscpnet.visualization  # noqa: F401


def serve(pipe: Connection) -> None:
    """Fork until the other end is closed; returns in the forked process too."""
    forked = False
    with contextlib.suppress(EOFError, ConnectionError):
        while not forked:
            order = pipe.recv()
            if order is None:  # to end a run that had just ended
                continue
            pid = os.fork()
            forked = pid == 0
            # A group of its own, to be ended with the workers of its dataloaders.
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.setpgid(pid, pid)
            if not forked:
                pipe.send(wait_for(pid, pipe))
    if forked:
        pipe.close()
        run(*order)


def wait_for(pid: int, pipe: Connection) -> tuple[int, int]:
    """Status and peak memory of a run, which may have to be ended."""
    told = False
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage.ru_maxrss
        if told:
            time.sleep(0.2)
        elif pipe.poll(0.2):
            told = True
            with contextlib.suppress(EOFError, ConnectionError):
                pipe.recv()
            os.killpg(pid, signal.SIGTERM)


def run(script: list[str], log: str) -> None:
    """Run a script as from a command line, apart from what is imported already."""
    output = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for number, path, mode in [
        (0, os.devnull, os.O_RDONLY),
        (1, log, output),
        (2, log, output),
    ]:
        file = os.open(path, mode, 0o666)
        os.dup2(file, number)
        os.close(file)
    sys.argv = script
    sys.path[0] = str(Path(script[0]).parent)
    runpy.run_path(script[0], run_name='__main__')


if __name__ == '__main__':
    serve(Connection(int(sys.argv[1])))
