"""A folder of results that appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union

from mmscpnet.datasets.formats.conversion import refuse_used_folder
from mmscpnet.datasets.formats.staging import staging_folder


@contextmanager
def report_folder(out: Union[str, Path], overwrite: bool = False) -> Iterator[Path]:
    """Collect files and move them into ``out`` when the ``with`` block ends well.

    .. code-block:: python

        with report_folder('report') as folder:
            (folder / 'report.md').write_text('...')

    Args:
        out: the folder; it must be empty or absent unless ``overwrite``.
        overwrite: replace files of the same names; others in ``out`` stay.

    Yields:
        Where to write. The folder is gone after the block.

    Raises:
        ValueError: ``out`` is a file, or is not empty and may not be overwritten.
    """
    out = Path(out)
    refuse_used_folder(out, overwrite)
    with staging_folder(out) as stage:
        yield stage
        out.mkdir(exist_ok=True)
        for path in sorted(stage.iterdir()):
            os.replace(path, out / path.name)
