from .checkpointing import checkpoint_module
from .host_tensors import index_tensor
from .open_clip_towers import (
    build_text_tower,
    build_visual_tower,
    load_tower,
    open_clip_config,
)
from .open_clip_weights import (
    load_open_clip_logit_scale,
    load_open_clip_state_dict,
    release_open_clip_cache,
    take_tower_state_dict,
)
from .position_embedding import fit_position_embedding, resize_position_embedding

__all__ = [
    'build_text_tower',
    'build_visual_tower',
    'checkpoint_module',
    'fit_position_embedding',
    'index_tensor',
    'load_open_clip_logit_scale',
    'load_open_clip_state_dict',
    'load_tower',
    'open_clip_config',
    'release_open_clip_cache',
    'resize_position_embedding',
    'take_tower_state_dict',
]
