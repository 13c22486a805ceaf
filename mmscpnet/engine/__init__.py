"""Training machinery: hooks, loop, optimiser groups, schedules, averaged weights."""

from . import hooks
from .averaged_model import AveragedState
from .hooks import *  # noqa: F401,F403
from .loops import ResumableTrainLoop
from .optimizers import SCPNetOptimWrapperConstructor
from .schedulers import GroupOneCycleLR
from .strategies import SCPNetFSDPStrategy

__all__ = [
    'AveragedState',
    'GroupOneCycleLR',
    'ResumableTrainLoop',
    'SCPNetFSDPStrategy',
    'SCPNetOptimWrapperConstructor',
    *hooks.__all__,
]
