"""How a label set is thinned: pure functions from full labels to what is known.

:mod:`.masking`, :mod:`.positives`, :mod:`.stress`, :mod:`.largeloss`,
:mod:`.matrix_draws` and :mod:`.few_shot` hold the functions; :data:`PROTOCOLS` gives
them names, options and sources, for pipelines and for files alike.
"""

from .base import Protocol
from .catalogue import PROTOCOLS, build_protocol, protocol_options
from .label_table import LabelTable
from .masking import (
    keep_likely,
    keep_listed,
    keep_ratio,
    keep_share,
    sample_rng,
    single_positive,
)

__all__ = [
    'PROTOCOLS',
    'LabelTable',
    'Protocol',
    'build_protocol',
    'keep_likely',
    'keep_listed',
    'keep_ratio',
    'keep_share',
    'protocol_options',
    'sample_rng',
    'single_positive',
]
