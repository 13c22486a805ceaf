"""Names of weights elsewhere and here: CLIP's, and those of the released SCPNet."""

from .clip_names import from_clip, to_clip
from .names import check_complete
from .released_scpnet import from_released

__all__ = ['check_complete', 'from_clip', 'from_released', 'to_clip']
