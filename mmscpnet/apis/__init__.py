"""What a trained model is used for."""

from .completion import Choice, Completion, FeatureInferencer, complete_labels
from .inferencer import MultiLabelInferencer

__all__ = [
    'Choice',
    'Completion',
    'FeatureInferencer',
    'MultiLabelInferencer',
    'complete_labels',
]
