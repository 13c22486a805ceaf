from .group_one_cycle_lr import GroupOneCycleLR
from .one_cycle import one_cycle_value

__all__ = ['GroupOneCycleLR', 'one_cycle_value']
