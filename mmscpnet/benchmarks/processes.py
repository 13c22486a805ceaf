"""Two ways to run a command in a process of its own: a new one, or a forked one."""

import os
import subprocess
import sys
from multiprocessing.connection import Pipe
from pathlib import Path
from threading import Event

ROOT = Path(__file__).resolve().parents[2]


def can_fork() -> bool:
    """Whether runs may be forked: on Linux without an accelerator.

    CUDA, once looked for, cannot be used after a fork; other systems' frameworks are
    not made for it.
    """
    from mmengine.device import get_device

    return sys.platform == 'linux' and get_device() == 'cpu'


class NewProcesses:
    """Starts each command as a shell would.

    Args:
        environment: of the processes.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def run(self, command: list[str], log: Path, stop: Event) -> tuple[int, float]:
        """Run a command; what it prints is appended to ``log``.

        Returns:
            tuple[int, float]: exit code (negative: the signal that ended it) and peak
            memory of its largest process in MiB, never less than this process had at
            the start. ``stop`` ends it by SIGTERM.
        """
        with open(log, 'ab') as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, _mebibytes(usage.ru_maxrss)
            if stop.wait(0.2):
                # the workers of its dataloaders too
                os.killpg(process.pid, 15)
                process.wait()
                return process.returncode, 0.0

    def close(self) -> None:
        """Nothing is left open."""


class ForkedProcesses:
    """Forks each command off a process that has imported the stack, one at a time.

    To import torch, mmpretrain and open_clip takes as long as many a run on stored
    features; here it is done once.

    Args:
        environment: of the processes.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = dict(environment)
        if (ROOT / 'setup.py').is_file():
            # A checkout, which need not be installed.
            paths = [str(ROOT), environment.get('PYTHONPATH')]
            self._environment['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
        self._start()

    def _start(self) -> None:
        self._pipe, other = Pipe()
        self._server = subprocess.Popen(
            [sys.executable, '-m', f'{__package__}.fork_server', str(other.fileno())],
            env=self._environment,
            pass_fds=[other.fileno()],
            # An interruption at the terminal is for the parent, which ends the runs.
            start_new_session=True,
        )
        other.close()

    def run(self, command: list[str], log: Path, stop: Event) -> tuple[int, float]:
        """As ``NewProcesses.run``, for a command that is this Python and a script.

        Raises:
            RuntimeError: the forking process has ended; the next run has a new one.
        """
        try:
            self._pipe.send((command[1:], str(log)))
            while not self._pipe.poll(0.2):
                if stop.is_set():
                    self._pipe.send(None)
                    break
            status, kilobytes = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.close()
            self._start()
            raise RuntimeError(
                'the process that forks the runs has ended; the reason is printed above'
            ) from error
        return os.waitstatus_to_exitcode(status), _mebibytes(kilobytes)

    def close(self) -> None:
        """End the forking process."""
        self._pipe.close()
        self._server.wait()


def _mebibytes(kilobytes: int) -> float:
    """Of ``ru_maxrss`` on Linux."""
    return round(kilobytes / 1024, 1)
