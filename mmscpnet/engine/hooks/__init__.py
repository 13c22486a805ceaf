from .checkpoint_hook import CheckpointHook
from .epoch_hook import SetEpochHook
from .feature_bank_hook import FeatureBankHook
from .finite_loss_hook import FiniteLossHook
from .label_check_hook import LabelCheckHook
from .model_ema_hook import ModelEMAHook
from .norm_policy_hook import FrozenNormHook
from .pseudo_label_diagnostics_hook import PseudoLabelDiagnosticsHook
from .test_best_hook import TestBestHook

__all__ = [
    'CheckpointHook',
    'FeatureBankHook',
    'FiniteLossHook',
    'FrozenNormHook',
    'LabelCheckHook',
    'ModelEMAHook',
    'PseudoLabelDiagnosticsHook',
    'SetEpochHook',
    'TestBestHook',
]
