"""Annotation formats: readers of what datasets distribute, and the writer."""

from .coco_json import CocoInstances
from .conversion import Conversion
from .manifest import check_counts, file_sha256, write_manifest
from .records import LabelRecord
from .voc_xml import read_voc_folder, voc_class_names
from .writer import AnnotationWriter

__all__ = [
    'AnnotationWriter',
    'CocoInstances',
    'Conversion',
    'LabelRecord',
    'check_counts',
    'file_sha256',
    'read_voc_folder',
    'voc_class_names',
    'write_manifest',
]
