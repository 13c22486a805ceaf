from .cross_modality_prompter import CrossModalityPrompter
from .fixed_label_features import FixedLabelFeatures
from .label_texts import encode_labels

__all__ = ['CrossModalityPrompter', 'FixedLabelFeatures', 'encode_labels']
