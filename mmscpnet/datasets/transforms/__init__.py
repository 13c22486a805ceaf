from .label_masking import FixedLabel, LabelMasking, PartialLabel, SinglePositiveLabel
from .views import FixMatchRandAugment, RelativeCutout

__all__ = [
    'FixMatchRandAugment',
    'FixedLabel',
    'LabelMasking',
    'PartialLabel',
    'RelativeCutout',
    'SinglePositiveLabel',
]
