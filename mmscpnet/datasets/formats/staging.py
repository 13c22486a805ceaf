"""Several files that appear together or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmscpnet.utils.termination import unwind_when_terminated


@contextmanager
def staging_folder(beside: Path) -> Iterator[Path]:
    """A hidden folder beside a path, gone after the ``with`` block.

    What is to stay is moved out of it before: on the same file system, so that moving
    is renaming. A termination of the process, or of its terminal, unwinds the stack
    like Ctrl-C does.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f'.{beside.name}.', dir=beside.parent))
    try:
        with unwind_when_terminated():
            yield stage
    finally:
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
