from .label_masking import (
    FixedLabel,
    LabelMasking,
    LabelProtocol,
    PartialLabel,
    SinglePositiveLabel,
)
from .load_photo import LoadImageFromFile
from .random_resized_crop import AntialiasedRandomResizedCrop
from .table_operations import (
    EightBitSharpness,
    TableAutoContrast,
    TableBrightness,
    TableContrast,
    TableEqualize,
    TablePosterize,
    TableSolarize,
)
from .views import FixMatchRandAugment, RelativeCutout

__all__ = [
    'AntialiasedRandomResizedCrop',
    'EightBitSharpness',
    'FixMatchRandAugment',
    'FixedLabel',
    'LabelMasking',
    'LabelProtocol',
    'LoadImageFromFile',
    'PartialLabel',
    'RelativeCutout',
    'SinglePositiveLabel',
    'TableAutoContrast',
    'TableBrightness',
    'TableContrast',
    'TableEqualize',
    'TablePosterize',
    'TableSolarize',
]
