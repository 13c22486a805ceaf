"""Measures of multi-label recognition."""

from .average_precision import AP_MODES, multilabel_average_precision
from .multi_label_map import MultiLabelMAP
from .per_class_table import format_per_class_table
from .precision_recall import (
    CountTriple,
    count_decisions,
    precision_recall_f1,
    threshold_decisions,
    topk_decisions,
)
from .save_scores import SaveScores

__all__ = [
    'AP_MODES',
    'CountTriple',
    'MultiLabelMAP',
    'SaveScores',
    'count_decisions',
    'format_per_class_table',
    'multilabel_average_precision',
    'precision_recall_f1',
    'threshold_decisions',
    'topk_decisions',
]
