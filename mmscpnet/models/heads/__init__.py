from .incomplete_label_head import IncompleteLabelHead
from .linear_head import IncompleteLabelLinearHead
from .scp_head import SCPHead

__all__ = ['IncompleteLabelHead', 'IncompleteLabelLinearHead', 'SCPHead']
