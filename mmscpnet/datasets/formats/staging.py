"""Several files that appear together or not at all."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staging_folder(beside: Path) -> Iterator[Path]:
    """A hidden folder beside a path, gone after the ``with`` block.

    What is to stay is moved out of it before: on the same file system, so that moving
    is renaming. A termination of the process, or of its terminal, unwinds the stack
    like Ctrl-C does.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f'.{beside.name}.', dir=beside.parent))
    main = threading.current_thread() is threading.main_thread()
    signals = [signal.SIGTERM, getattr(signal, 'SIGHUP', signal.SIGTERM)]
    # A signal that is ignored, as under nohup, stays so.
    before = {
        number: signal.signal(number, _terminate)
        for number in signals
        if main and signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        yield stage
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def staged_files(targets: Sequence[Path], overwrite: bool = False) -> Iterator[Path]:
    """Collect files under their final names and move them when the block ends well.

    Args:
        targets: the files, all of the same folder, in the order they are to appear.
        overwrite: replace those that exist.

    Yields:
        The folder to write them to.

    Raises:
        ValueError: a target exists and may not be replaced.
    """
    existing = [str(path) for path in targets if path.exists()]
    if existing and not overwrite:
        raise ValueError(
            f'{existing[0]} exists; choose another --out, or give --overwrite to '
            'replace it'
        )
    with staging_folder(targets[0]) as stage:
        yield stage
        # The last vouches for the others: it goes first and comes last.
        targets[-1].unlink(missing_ok=True)
        for path in targets:
            os.replace(stage / path.name, path)


def _terminate(*_) -> None:
    raise SystemExit('terminated')
