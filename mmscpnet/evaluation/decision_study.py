"""From scores and known labels to decisions, and how good they are."""

from typing import NamedTuple, Optional

import numpy as np
import torch

from .average_precision import multilabel_average_precision
from .calibration import Calibration, Reliability, fit_calibration, reliability
from .decisions import Decisions
from .precision_recall import (
    count_decisions,
    per_class_precision_recall_f1,
    precision_recall_f1,
)
from .score_table import ScoreTable
from .thresholds import Chosen, choose_thresholds, cross_validated_decisions


class Settings(NamedTuple):
    """What a user chooses, see :func:`choose_thresholds` and :func:`fit_calibration`.

    Attributes:
        goal: what the thresholds are for.
        value: of the goal.
        per_class: or one threshold for all classes.
        calibration: method.
        min_positives: known positives that a threshold of its own takes.
        min_known: known positives and negatives that a calibration of its own takes.
        folds: of the cross-validation.
        seed: of its parts.
    """

    goal: str = 'f1'
    value: Optional[float] = None
    per_class: bool = True
    calibration: str = 'platt'
    min_positives: int = 5
    min_known: int = 10
    folds: int = 5
    seed: int = 0


class Quality(NamedTuple):
    """Precision, recall and F1 in [0, 1].

    Attributes:
        precision: of each class, ``(C,)``.
        recall: the same.
        f1: the same.
        overall: the three of all decisions together (OP, OR, OF1).
        mean: their means over classes (CP, CR, mean F1).
        labels_an_image: decisions, known or not.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    overall: tuple[float, float, float]
    mean: tuple[float, float, float]
    labels_an_image: float


class Study(NamedTuple):
    """What was chosen, and how well it does.

    Attributes:
        decisions: for the file.
        average_precision: ``(C,)``; NaN without a known positive.
        positives: ``(C,)`` known.
        negatives: ``(C,)`` known.
        fitted: quality on the images that the thresholds were chosen on.
        held_out: quality where each image is decided by thresholds that were chosen
            without it.
        single: held out, with one threshold for all classes.
        common: that threshold.
        borrowed: classes that took it for want of known labels.
        before: reliability of the scores.
        after: reliability of calibrated probabilities, held out.
        class_ece: ``(2, C)`` expected calibration errors before and after; NaN where
            nothing is known.
        probabilities: ``(N, C)`` calibrated, by the file.
        warnings: what to keep in mind.
    """

    decisions: Decisions
    average_precision: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    fitted: Quality
    held_out: Quality
    single: Quality
    common: float
    borrowed: np.ndarray
    before: Reliability
    after: Reliability
    class_ece: np.ndarray
    probabilities: np.ndarray
    warnings: list[str]


def study_decisions(table: ScoreTable, settings: Settings, made: dict) -> Study:
    """Choose, calibrate, and measure both by cross-validation.

    Args:
        table: scores and labels of validation images.
        settings: what to choose.
        made: how the scores came about, for the file.

    Raises:
        ValueError: the scores are not in [0, 1], or too little is known.
    """
    scores, targets = table.scores, table.targets
    if len(scores) < 2:
        raise ValueError(f'{len(scores)} image is too little to choose thresholds on')
    chosen = _choose(scores, targets, settings)
    calibration = _calibrate(scores, targets, settings)
    decisions = Decisions(
        tuple(table.classes),
        chosen.thresholds,
        calibration,
        dict(
            made,
            **settings._asdict(),
            images=len(scores),
            common_threshold=chosen.common if np.isfinite(chosen.common) else None,
            known_positives=(targets == 1).sum(0).tolist(),
            known_negatives=(targets == 0).sum(0).tolist(),
            took_common_threshold=[table.classes[c] for c in chosen.borrowed],
            took_common_calibration=[table.classes[c] for c in calibration.pooled],
        ),
    )

    def decided(per_class: bool) -> np.ndarray:
        choice = settings._replace(per_class=per_class)

        def choose(others, labels):
            thresholds = _choose(others, labels, choice).thresholds
            return lambda held_out: held_out >= thresholds

        return cross_validated_decisions(
            scores, targets, choose, settings.folds, settings.seed
        )

    def fit(others, labels):
        return _calibrate(others, labels, settings)

    calibrated = scores.astype(np.float64)
    if settings.calibration != 'none':
        calibrated = cross_validated_decisions(
            scores, targets, fit, settings.folds, settings.seed
        )
    single = measure(decided(False), targets)
    return Study(
        decisions,
        multilabel_average_precision(scores, targets, empty='nan').numpy(),
        (targets == 1).sum(0),
        (targets == 0).sum(0),
        measure(decisions.decide(scores), targets),
        measure(decided(True), targets) if settings.per_class else single,
        single,
        chosen.common,
        chosen.borrowed if settings.per_class else np.arange(0),
        reliability(scores, targets),
        reliability(calibrated, targets),
        np.array([class_errors(p, targets) for p in (scores, calibrated)]),
        decisions.probabilities(scores),
        remarks(table, settings, decisions, chosen.borrowed),
    )


def _choose(scores: np.ndarray, targets: np.ndarray, settings: Settings) -> Chosen:
    probabilities = None
    if settings.goal == 'budget' and settings.per_class:
        probabilities = _calibrate(scores, targets, settings)(scores)
    return choose_thresholds(
        scores,
        targets,
        settings.goal,
        settings.value,
        settings.per_class,
        settings.min_positives,
        probabilities,
    )


def _calibrate(
    scores: np.ndarray, targets: np.ndarray, settings: Settings
) -> Calibration:
    return fit_calibration(scores, targets, settings.calibration, settings.min_known)


def measure(decided: np.ndarray, targets: np.ndarray) -> Quality:
    """Precision, recall and F1 over known entries."""
    counts = count_decisions(torch.as_tensor(decided), torch.as_tensor(targets))
    per_class = per_class_precision_recall_f1(counts)
    means = precision_recall_f1(counts)
    return Quality(
        *(per_class[name].numpy() for name in ('precision', 'recall', 'f1')),
        (means['OP'], means['OR'], means['OF1']),
        (means['CP'], means['CR'], means['CF1_mean']),
        float(decided.sum(1).mean()),
    )


def class_errors(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Expected calibration error of each class ``(C,)``, NaN without known entries."""
    errors = []
    for column, labels in zip(probabilities.T, targets.T):
        bins = reliability(column, labels)
        errors.append(bins.ece if bins.count.sum() else np.nan)
    return np.array(errors)


def remarks(table: ScoreTable, settings: Settings, decisions, borrowed) -> list[str]:
    """What a user should keep in mind about what was chosen."""
    targets = table.targets
    known = targets != -1
    notes = []
    if not known.all():
        share = 100 * known.mean()
        positive = 100 * (targets[known] == 1).mean()
        notes.append(
            f'Only {share:.1f}% of the entries are known, {positive:.1f}% of them '
            'positive, and nothing else is counted. Known entries are rarely a random '
            'part: annotators note what is there, and what is easy to see. Then '
            'positives are more frequent among the known than among all entries, '
            'precision and probabilities come out too high and thresholds too low. '
            'Label some validation images in full, if you can.'
        )
    if settings.per_class and len(borrowed):
        notes.append(
            f'With fewer than {settings.min_positives} known positives, or no known '
            f'negative, {len(borrowed)} of {len(table.classes)} classes took the '
            'threshold of all classes: ' + _names(table.classes, borrowed)
        )
    never = np.flatnonzero(np.isinf(decisions.thresholds))
    if len(never):
        notes.append(
            f'As no score serves the goal, {len(never)} of {len(table.classes)} '
            'classes are never given: ' + _names(table.classes, never)
        )
    pooled = decisions.calibration.pooled
    if pooled:
        notes.append(
            f'With fewer than {settings.min_known} known positives or negatives, or '
            f'scores that fall with the label, {len(pooled)} of {len(table.classes)} '
            'classes took the calibration of all classes: '
            + _names(table.classes, pooled)
        )
    return notes


def _names(classes, indices, shown: int = 12) -> str:
    names = [classes[i] for i in indices]
    more = f' and {len(names) - shown} more' if len(names) > shown else ''
    return ', '.join(names[:shown]) + more
