"""From scores to decisions: which labels a photo gets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch

from mmscpnet.evaluation.decisions import Decisions, load_decisions
from mmscpnet.evaluation.precision_recall import topk_decisions


class DecisionRule:
    """One threshold, the k highest scores, or a decisions file.

    Args:
        threshold: a label is given from this score on, in [0, 1].
        top_k: the labels of the k highest scores are given.
        thresholds: a file of ``tools/analysis_tools/choose_thresholds.py``, with a
            threshold for each label and a calibration; or its content.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: more or less than one is given, or a value is out of range.
    """

    def __init__(
        self,
        threshold: Optional[float] = None,
        top_k: Optional[int] = None,
        thresholds: Union[str, Path, Decisions, None] = None,
    ) -> None:
        given = dict(threshold=threshold, top_k=top_k, thresholds=thresholds)
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                'give one of threshold, top_k and thresholds (a file), found '
                + (', '.join(f'{k}={v!r}' for k, v in given.items()) or 'none')
            )
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(
                f'threshold must be a score from 0 to 1, found {threshold!r}'
            )
        if top_k is not None and (not isinstance(top_k, int) or top_k < 1):
            raise ValueError(f'top_k must be a whole number >= 1, found {top_k!r}')
        self.threshold = threshold
        self.top_k = top_k
        self.decisions: Optional[Decisions] = None
        if thresholds is not None:
            of_file = not isinstance(thresholds, Decisions)
            self.decisions = load_decisions(thresholds) if of_file else thresholds
        self.description = {name: _plain(value) for name, value in given.items()}

    def check_classes(self, classes: Optional[Sequence[str]]) -> None:
        """Refuse a decisions file for other labels than these.

        Raises:
            ValueError: the labels differ.
        """
        if self.decisions is not None and classes is not None:
            self.decisions.check_classes(classes, 'the model')

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Scores ``(N, C)`` -> decisions ``(N, C)``, bool."""
        if self.decisions is not None:
            return self.decisions.decide(scores)
        if self.top_k is not None:
            top_k = min(self.top_k, scores.shape[1])
            return topk_decisions(torch.from_numpy(scores), top_k).numpy()
        # As the metric does: in the precision of the scores.
        return scores >= np.asarray(self.threshold, dtype=scores.dtype)

    def probabilities(self, scores: np.ndarray) -> Optional[np.ndarray]:
        """Calibrated probabilities ``(N, C)``; None without a decisions file."""
        return None if self.decisions is None else self.decisions.probabilities(scores)


def _plain(value) -> Union[float, int, str]:
    if isinstance(value, Decisions):
        return f'decisions for {len(value.classes)} labels'
    return str(value) if isinstance(value, Path) else value
