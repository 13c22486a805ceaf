from .assume_negative import AssumeNegativeLoss
from .base import IncompleteLabelLoss
from .pessl import PESSLLoss
from .splc import SPLCLoss

__all__ = ['AssumeNegativeLoss', 'IncompleteLabelLoss', 'PESSLLoss', 'SPLCLoss']
