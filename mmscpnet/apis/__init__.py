"""What a trained model is used for."""

from .inferencer import MultiLabelInferencer

__all__ = ['MultiLabelInferencer']
