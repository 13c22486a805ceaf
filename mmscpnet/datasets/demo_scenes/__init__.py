"""Demonstration data: scenes composed from OpenMoji drawings."""

from .build import ensure_demo_scenes
from .themes import DEMO_CLASSES

__all__ = ['DEMO_CLASSES', 'ensure_demo_scenes']
