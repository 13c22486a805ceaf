"""Helpers without a place in the model: the installed stack, scopes, checkpoints."""

from mmscpnet.utils.checkpoint import forbid_pickled_code
from mmscpnet.utils.setup_env import register_all_modules
from mmscpnet.utils.stack import check_stack

__all__ = ['check_stack', 'forbid_pickled_code', 'register_all_modules']
