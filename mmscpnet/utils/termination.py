"""A termination that unwinds the stack, so that nothing is left lying about."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwind_when_terminated() -> Iterator[None]:
    """A termination of the process, or of its terminal, is as Ctrl-C in the block.

    A signal that is ignored, as under nohup, or handled by another stays so; outside
    of the main thread nothing changes.

    Raises:
        SystemExit: in the block, when the signal comes.
    """
    main = threading.current_thread() is threading.main_thread()
    signals = [signal.SIGTERM, getattr(signal, 'SIGHUP', signal.SIGTERM)]
    before = {
        number: signal.signal(number, _terminate)
        for number in signals
        if main and signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(*_) -> None:
    raise SystemExit('terminated')
