"""Measures of multi-label recognition."""

from .average_precision import AP_MODES, multilabel_average_precision
from .calibration import Calibration, fit_calibration, reliability
from .decisions import Decisions, load_decisions
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
from .score_table import ScoreTable, load_scores
from .thresholds import choose_thresholds

__all__ = [
    'AP_MODES',
    'Calibration',
    'CountTriple',
    'Decisions',
    'MultiLabelMAP',
    'SaveScores',
    'ScoreTable',
    'choose_thresholds',
    'count_decisions',
    'fit_calibration',
    'format_per_class_table',
    'load_decisions',
    'load_scores',
    'multilabel_average_precision',
    'precision_recall_f1',
    'reliability',
    'threshold_decisions',
    'topk_decisions',
]
