"""Read checkpoints without running code that is hidden in them.

``torch.load(..., weights_only=True)`` refuses a pickle that calls anything outside
a list of known types. Checkpoints of MMEngine's Runner hold a few more than tensors
(NumPy arrays and :class:`mmengine.logging.HistoryBuffer`, from the message hub):
the original mmengine 0.10.7 cannot resume them on torch >= 2.6, and the maintained
build falls back to an unrestricted load when it meets something unknown. Naming the
types and forbidding the fallback makes both load the same, safe, way.
"""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# torch reads it at every load; it overrules weights_only=False of the caller.
FORCE_VARIABLE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
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
