from .efficientnet_lite import EfficientNetLite0
from .open_clip_image_encoder import OpenCLIPImageEncoder

__all__ = ['EfficientNetLite0', 'OpenCLIPImageEncoder']
