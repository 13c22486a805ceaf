from .base import ThreeStateDataset
from .class_names import load_class_names
from .dataset_wrappers import ConcatDataset, count_samples, innermost_datasets
from .demo_dataset import DemoScenes
from .json_dataset import IncompleteMultiLabelDataset
from .list_dataset import MultiLabelListDataset, read_label_list
from .transforms import *  # noqa: F401,F403

__all__ = [
    'ConcatDataset',
    'DemoScenes',
    'IncompleteMultiLabelDataset',
    'MultiLabelListDataset',
    'ThreeStateDataset',
    'count_samples',
    'innermost_datasets',
    'load_class_names',
    'read_label_list',
]
