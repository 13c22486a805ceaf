"""Training machinery: hooks, optimiser groups, schedules, averaged weights."""

from . import hooks
from .averaged_model import AveragedState
from .hooks import *  # noqa: F401,F403
from .optimizers import SCPNetOptimWrapperConstructor
from .schedulers import GroupOneCycleLR

__all__ = [
    'AveragedState',
    'GroupOneCycleLR',
    'SCPNetOptimWrapperConstructor',
    *hooks.__all__,
]
