"""How a label set is thinned: pure functions from full labels to what is known."""

from .masking import keep_listed, keep_ratio, sample_rng, single_positive

__all__ = ['keep_listed', 'keep_ratio', 'sample_rng', 'single_positive']
