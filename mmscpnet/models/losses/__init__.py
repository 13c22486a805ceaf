from .assume_negative import (
    AssumeNegativeLoss,
    LabelSmoothingANLoss,
    WeakAssumeNegativeLoss,
)
from .asymmetric import PartialAsymmetricLoss, PartialFocalLoss
from .base import IncompleteLabelLoss, PerImageLoss
from .entropy_maximization import EntropyMaximizationLoss
from .expected_positive import EPRLoss, ROLELoss
from .generalized_robust import GeneralizedRobustLoss
from .hill import HillLoss
from .large_loss import LargeLoss
from .partial_bce import PartialBCELoss
from .pessl import PESSLLoss
from .splc import SPLCLoss

__all__ = [
    'AssumeNegativeLoss',
    'EPRLoss',
    'EntropyMaximizationLoss',
    'GeneralizedRobustLoss',
    'HillLoss',
    'IncompleteLabelLoss',
    'LabelSmoothingANLoss',
    'LargeLoss',
    'PESSLLoss',
    'PartialAsymmetricLoss',
    'PartialBCELoss',
    'PartialFocalLoss',
    'PerImageLoss',
    'ROLELoss',
    'SPLCLoss',
    'WeakAssumeNegativeLoss',
]
