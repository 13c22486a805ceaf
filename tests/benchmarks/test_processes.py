"""Both ways to run the command of a cell do the same."""

import json
import os
import sys
import threading
import time
from contextlib import closing
from threading import Event

import pytest

from mmscpnet.benchmarks import processes
from mmscpnet.benchmarks.processes import ForkedProcesses, NewProcesses

SCRIPT = """
import json, os, sys, time
print('mmengine.runner' in sys.modules)
print(json.dumps(dict(
    arguments=sys.argv[1:], name=__name__, path=sys.path[0], pid=os.getpid(),
    group=os.getpgrp(), input=sys.stdin.read(), variable=os.environ['OF_THE_GRID'],
)))
sys.stdout.flush()
what = sys.argv[1]
if what == 'memory':
    filled = b'1' * (1 << 30)
elif what == 'code':
    sys.exit(3)
elif what == 'message':
    sys.exit('no such thing')
elif what == 'error':
    raise ValueError('wrong')
elif what == 'wait':
    time.sleep(600)
"""


@pytest.fixture(scope='module', params=[NewProcesses, ForkedProcesses])
def running(request):
    environment = {**os.environ, 'OF_THE_GRID': 'yes', 'CUDA_VISIBLE_DEVICES': ''}
    with closing(request.param(environment)) as found:
        yield found


@pytest.fixture
def run(running, tmp_path):
    script, log = tmp_path / 'script.py', tmp_path / 'log.txt'
    script.write_text(SCRIPT)

    def call(*arguments, stop=None):
        command = [sys.executable, str(script), *arguments]
        code, memory = running.run(command, log, stop or Event())
        return code, memory, log.read_text()

    return call


def test_as_from_a_command_line(run, running, tmp_path):
    code, memory, printed = run('nothing', '--flag')
    assert code == 0
    imported, said = printed.splitlines()
    assert imported == str(isinstance(running, ForkedProcesses))
    said = json.loads(said)
    assert said.pop('pid') == said.pop('group') != os.getpgrp()
    assert said == dict(
        arguments=['nothing', '--flag'],
        name='__main__',
        path=str(tmp_path),
        input='',
        variable='yes',
    )
    _, more, printed = run('memory')
    assert len(printed.splitlines()) == 4  # appended
    assert 1024 < more < 1900 and memory < 1000  # MiB


@pytest.mark.parametrize(
    'what, expected, last',
    [('code', 3, '{'), ('message', 1, 'no such thing'), ('error', 1, 'ValueError')],
)
def test_exit_codes(run, what, expected, last):
    code, _, printed = run(what)
    assert code == expected
    assert printed.splitlines()[-1].startswith(last)


def test_stopped(run, tmp_path):
    stop = Event()

    def stop_when_it_runs():
        while not (tmp_path / 'log.txt').is_file():
            time.sleep(0.05)
        stop.set()

    thread = threading.Thread(target=stop_when_it_runs)
    thread.start()
    code, *_ = run('wait', stop=stop)
    thread.join()
    assert code == -15
    assert run('nothing')[0] == 0  # the next one runs


def test_the_forking_process_has_ended(tmp_path):
    with closing(ForkedProcesses({**os.environ, 'OF_THE_GRID': ''})) as running:
        running._server.kill()
        running._server.wait()
        with pytest.raises(RuntimeError, match='has ended'):
            running.run([sys.executable, 'script.py'], tmp_path / 'log', Event())


def test_an_accelerator_is_not_forked(monkeypatch):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    assert not processes.can_fork()
