"""Run functions in several processes that are forked from one, after its imports.

``python -m tests.distributed.forked JOBS.json``, where each job has the number of
``processes``, a ``call`` (``module:function``) and its ``arguments``. To start as many
interpreters would take ten seconds each.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path

from tests.shared import ROOT


def run_jobs(folder: Path, *jobs: tuple) -> None:
    """Run ``(processes, call, *arguments)`` one after the other, from a test."""
    names = ('processes', 'call', 'arguments')
    entries = [dict(zip(names, (job[0], job[1], job[2:]))) for job in jobs]
    file = folder / 'jobs.json'
    file.write_text(json.dumps(entries, default=str))
    done = subprocess.run(
        [sys.executable, '-m', 'tests.distributed.forked', str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
    )
    output = done.stdout[-3000:] + done.stderr[-5000:]
    assert done.returncode == 0, output


def fork(processes: int, function, arguments: list) -> None:
    """Call a function in several processes; one that fails ends them all.

    Raises:
        SystemExit: If one failed.
    """
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    children = []
    for rank in range(processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(processes),
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=port,
        )
        code = 1
        try:
            function(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    while children:
        child, status = os.wait()
        children.remove(child)
        if status:
            for other in children:
                os.kill(other, 9)
                os.waitpid(other, 0)
            raise SystemExit(f'a process of {function.__name__} failed')


def main(jobs: list[dict]) -> None:
    for job in jobs:
        module, function = job['call'].split(':')
        call = getattr(importlib.import_module(module), function)
        fork(job['processes'], call, job['arguments'])


if __name__ == '__main__':
    main(json.loads(Path(sys.argv[1]).read_text()))
