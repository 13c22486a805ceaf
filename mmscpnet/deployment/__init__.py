"""A trained model as a file that is served without mmscpnet."""

from .exported_model import ExportedModel
from .preprocessing import describe_preprocessing
from .writers import FORMATS, ExportSettings, export_model, open_exported

__all__ = [
    'FORMATS',
    'ExportSettings',
    'ExportedModel',
    'describe_preprocessing',
    'export_model',
    'open_exported',
]
