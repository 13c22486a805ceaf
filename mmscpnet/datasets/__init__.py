from .base import ThreeStateDataset
from .benchmark_sets import (
    COCO2014,
    MSRC,
    VOC2007,
    VOC2012,
    BenchmarkDataset,
    Corel5k,
    CUBAttributes,
    NUSWide,
    OpenImages,
    VisualGenome200,
)
from .class_names import load_class_names
from .dataset_wrappers import ConcatDataset, count_samples, innermost_datasets
from .demo_dataset import DemoScenes
from .json_dataset import IncompleteMultiLabelDataset
from .label_list import read_label_list
from .list_dataset import MultiLabelListDataset
from .transforms import *  # noqa: F401,F403

__all__ = [
    'BenchmarkDataset',
    'COCO2014',
    'CUBAttributes',
    'ConcatDataset',
    'Corel5k',
    'DemoScenes',
    'IncompleteMultiLabelDataset',
    'MSRC',
    'MultiLabelListDataset',
    'NUSWide',
    'OpenImages',
    'ThreeStateDataset',
    'VOC2007',
    'VOC2012',
    'VisualGenome200',
    'count_samples',
    'innermost_datasets',
    'load_class_names',
    'read_label_list',
]
