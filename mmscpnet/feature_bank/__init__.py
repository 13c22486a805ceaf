"""Features of a frozen image encoder, computed once and drawn from in training."""

from .bank import FeatureBank, fingerprint
from .extract import BankSettings, bank_key, open_or_extract
from .pipeline import BankPipeline, ViewPlan, plan_views
from .use import draw_from_bank, read_whole_batches

__all__ = [
    'BankPipeline',
    'BankSettings',
    'FeatureBank',
    'ViewPlan',
    'bank_key',
    'draw_from_bank',
    'fingerprint',
    'open_or_extract',
    'plan_views',
    'read_whole_batches',
]
