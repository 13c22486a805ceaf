"""Choosing from which score on a label is given.

Only known entries are counted, except for a budget, which counts decisions.
"""

from typing import NamedTuple, Optional

import numpy as np

GOALS = ('f1', 'precision', 'recall', 'budget')


class Chosen(NamedTuple):
    """Thresholds and where they come from.

    Attributes:
        thresholds: ``(C,)`` float64; infinite where the goal cannot be met.
        common: the threshold of all classes together.
        borrowed: indices of the classes that took the common one, for want of known
            labels.
    """

    thresholds: np.ndarray
    common: float
    borrowed: np.ndarray


def choose_thresholds(
    scores: np.ndarray,
    targets: np.ndarray,
    goal: str = 'f1',
    value: Optional[float] = None,
    per_class: bool = True,
    min_positives: int = 5,
    probabilities: Optional[np.ndarray] = None,
) -> Chosen:
    """Thresholds that serve a goal best.

    ========= =====================================================================
    goal      threshold
    ========= =====================================================================
    f1        of the highest F1 (all classes together: overall F1)
    precision the lowest with at least this precision, so with the most recall
    recall    the highest with at least this recall, so with the best precision
    budget    at most this many labels an image on average, those of the highest
              scores; for each class: of the highest calibrated probabilities
    ========= =====================================================================

    Args:
        scores: ``(N, C)`` in [0, 1].
        targets: ``(N, C)`` in {1, 0, -1}.
        goal: of :data:`GOALS`.
        value: the precision or recall in (0, 1], or labels an image.
        per_class: False gives all classes the common threshold.
        min_positives: a class with fewer known positives, or for F1 and precision
            without a known negative, takes the common threshold.
        probabilities: ``(N, C)``, calibrated, for a budget for each class.

    Raises:
        ValueError: an argument does not fit, or no known label is there to go by.
    """
    _check(scores, targets, goal, value)
    num_classes = scores.shape[1]
    if goal == 'budget':
        return _budget(scores, value, probabilities if per_class else None)
    common = _best(scores[targets != -1], targets[targets != -1], goal, value)
    positives, negatives = (targets == 1).sum(0), (targets == 0).sum(0)
    enough = positives >= max(1, min_positives)
    if goal != 'recall':
        enough &= negatives > 0
    thresholds = np.full(num_classes, common)
    for c in np.flatnonzero(enough) if per_class else ():
        known = targets[:, c] != -1
        thresholds[c] = _best(scores[known, c], targets[known, c], goal, value)
    borrowed = np.flatnonzero(~enough) if per_class else np.arange(num_classes)
    return Chosen(thresholds, float(common), borrowed)


def _check(scores, targets, goal, value) -> None:
    if scores.shape != targets.shape or scores.ndim != 2:
        raise ValueError(
            f'scores {scores.shape} and targets {targets.shape} must both be (N, C)'
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            'scores must be from 0 to 1, found '
            f'{np.nanmin(scores):.3g} to {np.nanmax(scores):.3g}'
        )
    if goal not in GOALS:
        raise ValueError(f'goal must be one of {GOALS}, found {goal!r}')
    if goal in ('precision', 'recall') and not (value and 0 < value <= 1):
        raise ValueError(f'a {goal} from above 0 to 1 is wanted, found {value!r}')
    if goal == 'budget':
        if not value or not 0 < value <= scores.shape[1]:
            raise ValueError(
                'a budget is a number of labels an image, above 0 and at most '
                f'{scores.shape[1]}, found {value!r}'
            )
        return
    if not (targets == 1).any():
        raise ValueError(
            f'goal {goal} needs known positives, and there are none; only a budget '
            'needs no labels'
        )
    if goal != 'recall' and not (targets == 0).any():
        raise ValueError(
            f'goal {goal} needs known negatives, and there are none: precision cannot '
            'be measured. Choose the goal recall or budget, or label some absences'
        )


def _best(scores: np.ndarray, targets: np.ndarray, goal: str, value) -> float:
    """The threshold of one class, or of all; known entries ``(K,)``."""
    order = np.argsort(-scores, kind='stable')
    scores, positive = scores[order].astype(np.float64), targets[order] == 1
    # Equal scores are decided alike: only the last of each may be the last accepted.
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    correct = np.cumsum(positive)[ends]
    predicted = ends + 1
    if goal == 'f1':
        chosen = int(np.argmax(2 * correct / (predicted + positive.sum())))
    else:
        measure = correct / (predicted if goal == 'precision' else positive.sum())
        # With rounding: 0.9 of 10 is 9.
        meets = np.flatnonzero(measure >= value - 1e-9)
        if not len(meets):
            return np.inf
        chosen = meets[-1] if goal == 'precision' else meets[0]
    return _between(scores, ends, chosen)


def _between(scores: np.ndarray, ends: np.ndarray, chosen: int) -> float:
    """Half way from the last accepted score to the next, which rounding cannot cross.

    The value is one of float32, in which scores are compared.
    """
    last = scores[ends[chosen]]
    below = scores[ends[chosen + 1]] if chosen + 1 < len(ends) else 0.0
    middle = float(np.float32((last + below) / 2))
    return middle if below < middle <= last else float(last)


def _budget(scores: np.ndarray, value: float, probabilities) -> Chosen:
    allowed = int(value * len(scores) + 1e-9)
    flat = scores.ravel()
    common = _highest(flat, allowed)
    num_classes = scores.shape[1]
    if probabilities is None:
        return Chosen(np.full(num_classes, common), common, np.arange(num_classes))
    taken = probabilities >= _highest(probabilities.ravel(), allowed)
    thresholds = np.full(num_classes, np.inf)
    for c in np.flatnonzero(taken.any(0)):
        ordered = -np.sort(-scores[:, c].astype(np.float64))
        ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
        lowest = scores[taken[:, c], c].min()
        thresholds[c] = _between(
            ordered, ends, int(np.searchsorted(-ordered[ends], -lowest))
        )
    return Chosen(thresholds, common, np.arange(0))


def _highest(values: np.ndarray, allowed: int) -> float:
    """The threshold that at most so many values reach."""
    ordered = -np.sort(-values.astype(np.float64))
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    fits = np.flatnonzero(ends + 1 <= allowed)
    return _between(ordered, ends, fits[-1]) if len(fits) else np.inf


def cross_validated_decisions(
    scores: np.ndarray, targets: np.ndarray, choose, folds: int = 5, seed: int = 0
) -> np.ndarray:
    """Decide about each image by what was chosen without it.

    Args:
        scores: ``(N, C)``.
        targets: ``(N, C)``.
        choose: function of scores and targets of the other images that gives a
            function from scores ``(n, C)`` to any array ``(n, C)``.
        folds: parts of the images.
        seed: of the parts.

    Returns:
        numpy.ndarray: ``(N, C)``, what the functions gave.

    Raises:
        ValueError: too little is known without the images of a part.
    """
    from sklearn.model_selection import KFold

    result = None
    splits = KFold(min(folds, len(scores)), shuffle=True, random_state=seed)
    for others, held_out in splits.split(scores):
        try:
            given = choose(scores[others], targets[others])(scores[held_out])
        except ValueError as error:
            raise ValueError(
                f'with {len(others)} of {len(scores)} images, to hold out the others: '
                f'{error}'
            ) from error
        if result is None:
            result = np.zeros(scores.shape, given.dtype)
        result[held_out] = given
    return result
