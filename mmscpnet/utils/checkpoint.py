"""Read checkpoints: without running code hidden in them, and only whole ones.

``torch.load(..., weights_only=True)`` refuses a pickle that calls anything outside
a list of known types. Checkpoints of MMEngine's Runner hold a few more than tensors
(NumPy arrays and :class:`mmengine.logging.HistoryBuffer`, from the message hub):
the original mmengine 0.10.7 cannot resume them on torch >= 2.6, and the maintained
build falls back to an unrestricted load when it meets something unknown. Naming the
types and forbidding the fallback makes both load the same, safe, way.
"""

import os
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

# torch reads it at every load; it overrules weights_only=False of the caller.
FORCE_VARIABLE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
# What a run can go on from; best_*.pth lack the optimiser.
RESUMABLE_PATTERNS = ('epoch_*.pth', 'iter_*.pth')
# Public dtypes of arrays that metrics, metadata and message hubs hold.
NUMPY_TYPES = (
    'bool',
    'int8',
    'int16',
    'int32',
    'int64',
    'uint8',
    'uint16',
    'uint32',
    'uint64',
    'float16',
    'float32',
    'float64',
    'str',
)


def runner_globals() -> list:
    """The objects beside tensors that a Runner's checkpoint may name.

    Returns:
        list: Entries for :func:`torch.serialization.add_safe_globals`.
    """
    import numpy as np
    from mmengine.logging import HistoryBuffer

    # numpy.core was renamed in NumPy 2; files name the module they were saved with.
    core = getattr(np, '_core', None) or np.core
    entries = [np.ndarray, np.dtype, slice, HistoryBuffer]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        entries.append((core.multiarray._reconstruct, f'{module}._reconstruct'))
        entries.append((core.multiarray.scalar, f'{module}.scalar'))
    entries.extend({type(np.dtype(name)) for name in NUMPY_TYPES})

    def history_statistic(owner, name):
        # A HistoryBuffer stores its own methods, which pickle writes as a call of
        # getattr. Nothing else may be reached through it.
        if owner is not HistoryBuffer or name.startswith('_'):
            raise pickle.UnpicklingError(f'getattr of {name!r} is not allowed here.')
        return getattr(owner, name)

    entries.append((history_statistic, 'builtins.getattr'))
    return entries


def forbid_pickled_code() -> None:
    """Make every ``torch.load`` of this process, and of its children, safe.

    Called by the programs in ``tools/``, not at import: it changes the process.
    """
    import torch

    os.environ[FORCE_VARIABLE] = '1'
    torch.serialization.add_safe_globals(runner_globals())


@contextmanager
def explain_refused_checkpoint() -> Iterator[None]:
    """Turn torch's refusal into an error that says what can be done.

    Raises:
        ValueError: If a checkpoint in the block holds more than data.
    """
    try:
        yield
    except pickle.UnpicklingError as error:
        raise ValueError(
            'A checkpoint was refused: it holds objects that are neither tensors nor '
            'what a Runner saves, and reading them could run code. If its source is '
            'trusted, load it once with torch.load(..., weights_only=False) and save '
            f'its state_dict alone. Reason: {error}'
        ) from error


def check_file(path: str, role: str) -> None:
    """Check that a file named by the user exists.

    Args:
        path (str): Path, or an address with a scheme such as ``https://``, which is
            left to its loader.
        role (str): What the file is, for the message.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if '://' not in str(path) and not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f'{role} {str(path)!r} does not exist or is not a file '
            f'(looked for {Path(path).expanduser().absolute()}).'
        )


def damage(path: Path) -> Optional[str]:
    """What is wrong with a checkpoint file; None if it is whole.

    All of it is read, at the speed of the disk: torch does not look at check sums.

    Args:
        path (Path): A file that exists, or a folder (of a sharded checkpoint), which
            is left to its loader.
    """
    if path.is_dir():
        return None
    with open(path, 'rb') as file:
        start = file.read(2)
    if start[:1] == b'\x80':
        # A bare pickle of torch before 1.6; it has no check sums.
        return None
    if start != b'PK':
        return 'it is empty' if not start else 'it is not a checkpoint of torch'
    try:
        with zipfile.ZipFile(path) as archive:
            part = archive.testzip()
    except zipfile.BadZipFile:
        return 'it is cut off'
    except (OSError, EOFError, NotImplementedError, zlib.error) as error:
        return f'it cannot be read ({error})'
    return None if part is None else f'its part {part!r} is damaged'


def check_whole(path: str, role: str) -> None:
    """Check that a checkpoint exists and is neither cut off nor damaged.

    Args:
        path (str): Path or address, as for :func:`check_file`.
        role (str): What the file is, for the message.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged.
    """
    if '://' in str(path) or Path(path).expanduser().is_dir():
        return
    check_file(path, role)
    reason = damage(Path(path).expanduser())
    if reason is not None:
        raise ValueError(
            f'{role} {str(path)!r} cannot be used: {reason}. Copy it again, or take '
            'another one.'
        )


def latest_checkpoint(work_dir: str) -> tuple[Optional[Path], list[str]]:
    """The checkpoint that a run goes on from: the last whole one.

    That is the one that ``last_checkpoint`` names, or if it is damaged, the one with
    the most iterations among the others of its folder.

    Args:
        work_dir (str): Work folder of the run.

    Returns:
        tuple[Path | None, list[str]]: The file, None if there is none at all, and
        warnings about damaged ones.

    Raises:
        ValueError: If there are checkpoints, but all of them are damaged.
    """
    folders = [Path(work_dir)]
    pointer = folders[0] / 'last_checkpoint'
    first: list[Path] = []
    if pointer.is_file() and (name := pointer.read_text(errors='replace').strip()):
        # The folder may have been moved since: the name counts, too.
        first = [Path(name), folders[0] / Path(name).name]
        folders.insert(0, Path(name).parent)
    warnings: list[str] = []

    def whole(path: Path) -> bool:
        reason = damage(path)
        if reason is not None:
            warnings.append(f'The checkpoint {path} is left out: {reason}.')
        return reason is None

    for path in first:
        if path.exists():
            if whole(path):
                return path, warnings
            break
    tried = {path.resolve() for path in first}
    others = {
        path.resolve(): path
        for folder in folders
        for pattern in RESUMABLE_PATTERNS
        for path in sorted(folder.glob(pattern))
    }
    rest = [p for key, p in others.items() if key not in tried and whole(p)]
    if not rest:
        if warnings:
            raise ValueError(
                f'No checkpoint in {work_dir!r} is whole. {" ".join(warnings)} Start '
                'again with --overwrite.'
            )
        return None, warnings
    return max(rest, key=_iterations), warnings


def read_checkpoint(path: str, mapped: bool = False) -> dict:
    """Read what a Runner has saved, to the CPU and as data only.

    Args:
        path (str): The file.
        mapped (bool): Leave tensors on the disk until they are used.

    Returns:
        dict: The checkpoint.
    """
    import torch

    with torch.serialization.safe_globals(runner_globals()):
        return torch.load(path, map_location='cpu', weights_only=True, mmap=mapped)


def _iterations(path: Path) -> int:
    if path.is_dir():
        return -1
    return read_checkpoint(path, mapped=True)['meta']['iter']
