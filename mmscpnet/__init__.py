"""mmscpnet: multi-label recognition with missing labels for OpenMMLab.

Importing the package checks which MMEngine, MMCV and MMPretrain are installed
(:mod:`mmscpnet.utils.stack`) and nothing else: no torch, no registry, no network.
"""

from mmscpnet.utils.stack import check_stack
from mmscpnet.version import __version__

check_stack()

__all__ = ['__version__']
