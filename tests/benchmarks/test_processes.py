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
import json, os, signal, sys, time
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
elif what == 'save':
    def end(*_):
        print('told')
        time.sleep(1)
        sys.exit(7)
    signal.signal(signal.SIGTERM, end)
    print('ready', flush=True)
    time.sleep(600)
"""

ENVIRONMENT = {**os.environ, 'OF_THE_GRID': 'yes', 'CUDA_VISIBLE_DEVICES': ''}


@pytest.fixture(scope='module', params=[NewProcesses, ForkedProcesses])
def running(request):
    with closing(request.param(ENVIRONMENT)) as found:
        yield found


@pytest.fixture
def run(running, tmp_path):
    script, log = tmp_path / 'script.py', tmp_path / 'log.txt'
    script.write_text(SCRIPT)

    def call(*arguments):
        command = [sys.executable, str(script), *arguments]
        code, memory = running.run(command, log, Event())
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
    # MiB. Of a new process Linux takes what its parent has for the least.
    assert more > 1024 and (memory < 1024 or isinstance(running, NewProcesses))


@pytest.mark.parametrize(
    'what, expected, last',
    [('code', 3, '{'), ('message', 1, 'no such thing'), ('error', 1, 'ValueError')],
)
def test_exit_codes(run, what, expected, last):
    code, _, printed = run(what)
    assert code == expected
    assert printed.splitlines()[-1].startswith(last)


@pytest.mark.parametrize('kind', [NewProcesses, ForkedProcesses])
def test_stopped(kind, tmp_path, capfd):
    """It is told once, and can end as it likes."""
    script, log, stop = tmp_path / 'script.py', tmp_path / 'log.txt', Event()
    script.write_text(SCRIPT)

    def stop_when_it_runs():
        while not log.is_file() or not log.read_text().endswith('ready\n'):
            time.sleep(0.05)
        stop.set()

    thread = threading.Thread(target=stop_when_it_runs)
    thread.start()
    with closing(kind(ENVIRONMENT)) as running:
        code, _ = running.run([sys.executable, str(script), 'save'], log, stop)
    thread.join()
    assert code == 7 and log.read_text().count('told') == 1
    assert 'Traceback' not in capfd.readouterr().err


def test_a_run_ends_with_its_grid(tmp_path):
    """Also where the grid is killed and can tell nobody."""
    script, log = tmp_path / 'script.py', tmp_path / 'log.txt'
    script.write_text(SCRIPT)
    running = ForkedProcesses(ENVIRONMENT)
    running._pipe.send(([str(script), 'wait'], str(log)))
    while not log.is_file() or not log.read_text().endswith('}\n'):
        time.sleep(0.05)
    pid = json.loads(log.read_text().splitlines()[1])['pid']
    running.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_forking_process_has_ended(tmp_path):
    script, log = tmp_path / 'script.py', tmp_path / 'log.txt'
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), 'nothing']
    with closing(ForkedProcesses(ENVIRONMENT)) as running:
        running._server.kill()
        running._server.wait()
        with pytest.raises(RuntimeError, match='has ended'):
            running.run(command, log, Event())
        assert running.run(command, log, Event())[0] == 0


def test_an_accelerator_is_not_forked(monkeypatch):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    assert not processes.can_fork()
