"""Write results so that a file is whole, and none is lost."""

import json
import os
import tempfile
import time


def write_results(path: str, content: dict) -> str:
    """Write JSON atomically; an existing file is never overwritten.

    Args:
        path (str): Where to. If something is there already, the time is added
            to the name (``results_20250131_235959.json``).
        content (dict): What json can write; NaN is not allowed.

    Returns:
        str: The path that was written.

    Raises:
        ValueError: If the content holds NaN or an infinity.
    """
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    return write_bytes(path, (text + '\n').encode())


def write_bytes(path: str, content: bytes, overwrite: bool = False) -> str:
    """Write a file atomically; an existing file is kept, unless told otherwise.

    Args:
        path (str): Where to; see :func:`write_results`.
        content (bytes): The whole file.
        overwrite (bool): Whether to replace an existing file. Defaults to False.

    Returns:
        str: The path that was written.
    """
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix='.tmp')
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        if overwrite:
            os.replace(temporary, path)
            return path
        return _publish(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def _publish(temporary: str, path: str) -> str:
    """Give the file its name; another process may be about to take it too."""
    stem, suffix = os.path.splitext(path)
    stamp = time.strftime('%Y%m%d_%H%M%S')
    candidates = [path, f'{stem}_{stamp}{suffix}']
    candidates += [f'{stem}_{stamp}_{i}{suffix}' for i in range(1, 1000)]
    for candidate in candidates:
        try:
            # a link fails if the name is taken, a rename would replace the file
            os.link(temporary, candidate)
        except FileExistsError:
            continue
        except OSError:
            # a file system without hard links
            if os.path.exists(candidate):
                continue
            os.replace(temporary, candidate)
        return candidate
    raise ValueError(f'cannot find a free file name beside {path}')
