from .base import BaseTextEncoder
from .clip_text_encoder import CLIPTextEncoder
from .transformers_text_encoder import TransformersTextEncoder
from .word_vectors import WordVectors

__all__ = [
    'BaseTextEncoder',
    'CLIPTextEncoder',
    'TransformersTextEncoder',
    'WordVectors',
]
