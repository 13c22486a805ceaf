"""Scores that mean what they say: of the entries with 0.8, 80% are positive.

Scaling by a temperature and Platt's scaling are logistic regressions on the logit of
the score; isotonic regression takes any monotone curve. Each class has its own, fitted
on its known entries; a class with too few of them takes the one of all classes.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

METHODS = ('none', 'temperature', 'platt', 'isotonic')
# Scores are float32, which cannot come closer to 1.
_EPSILON = 2.0**-24


@dataclass(frozen=True)
class Calibration:
    """A monotone function from score to probability, for each class.

    Attributes:
        method: of :data:`METHODS`.
        slope: ``(C,)`` for ``temperature`` (its inverse) and ``platt``.
        intercept: ``(C,)``, zero for ``temperature``.
        curves: for ``isotonic`` C pairs of score and probability, ``(K,)`` each,
            between which is interpolated.
        pooled: indices of the classes that took the function of all classes.
    """

    method: str = 'none'
    slope: Optional[np.ndarray] = None
    intercept: Optional[np.ndarray] = None
    curves: tuple = ()
    pooled: tuple[int, ...] = ()

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Scores ``(..., C)`` in [0, 1] -> probabilities ``(..., C)`` float64."""
        scores = np.asarray(scores, dtype=np.float64)
        if self.method == 'none':
            return scores
        if self.method == 'isotonic':
            columns = np.moveaxis(scores, -1, 0)
            mapped = [np.interp(s, x, y) for s, (x, y) in zip(columns, self.curves)]
            return np.stack(mapped, axis=-1)
        return expit(self.slope * safe_logit(scores) + self.intercept)

    def to_json(self) -> dict:
        """What a decisions file holds."""
        if self.method == 'none':
            return dict(method='none')
        if self.method == 'isotonic':
            return dict(
                method='isotonic',
                score=[x.tolist() for x, _ in self.curves],
                probability=[y.tolist() for _, y in self.curves],
            )
        return dict(
            method=self.method,
            slope=self.slope.tolist(),
            intercept=self.intercept.tolist(),
        )


def safe_logit(scores: np.ndarray) -> np.ndarray:
    """Logit of scores, finite for 0 and 1, too."""
    return logit(np.clip(scores, _EPSILON, 1 - _EPSILON))


def fit_calibration(
    scores: np.ndarray, targets: np.ndarray, method: str, min_known: int = 10
) -> Calibration:
    """Fit the function of each class on its known entries.

    Args:
        scores: ``(N, C)`` in [0, 1].
        targets: ``(N, C)`` in {1, 0, -1}; -1 is left out.
        method: of :data:`METHODS`.
        min_known: a class with fewer known positives or negatives takes the function
            that is fitted on all classes together. So does one whose scores are higher
            for negatives, as the function would fall.

    Raises:
        ValueError: there is no known positive or no known negative at all.
    """
    if method not in METHODS:
        raise ValueError(f'calibration must be one of {METHODS}, found {method!r}')
    if method == 'none':
        return Calibration()
    scores = np.asarray(scores, dtype=np.float64)
    known = targets != -1
    if not (targets == 1).any() or not (targets == 0).any():
        raise ValueError(
            'a calibration needs known positives and known negatives, found '
            f'{(targets == 1).sum()} and {(targets == 0).sum()} entries. Label some, '
            'or do without (none)'
        )
    fit = _FITS[method]
    common = fit(scores[known], targets[known])
    few = np.minimum((targets == 1).sum(0), (targets == 0).sum(0)) < min_known
    fitted, pooled = [], []
    for c in range(scores.shape[1]):
        of_class = None
        if not few[c]:
            of_class = fit(scores[known[:, c], c], targets[known[:, c], c])
        if of_class is None:
            pooled.append(c)
        fitted.append(common if of_class is None else of_class)
    if any(function is None for function in fitted):
        raise ValueError(
            'the scores of all classes together are higher for negatives than for '
            'positives, so they cannot be calibrated. Do without (none)'
        )
    if method == 'isotonic':
        return Calibration(method, curves=tuple(fitted), pooled=tuple(pooled))
    slope, intercept = np.array(fitted).T
    return Calibration(method, slope, intercept, pooled=tuple(pooled))


def _fit_logistic(
    scores: np.ndarray, targets: np.ndarray, intercept: bool
) -> Optional[tuple[float, float]]:
    # Platt (1999): targets a little off 0 and 1, so that classes which the scores
    # separate do not get an infinite slope. As weights, because sklearn wants classes.
    positive = targets == 1
    count = positive.sum()
    high = (count + 1) / (count + 2)
    low = 1 / (len(targets) - count + 2)
    share = np.where(positive, high, low)
    features = np.tile(safe_logit(scores), 2)[:, None]
    labels = np.repeat([1, 0], len(scores))
    weights = np.concatenate([share, 1 - share])
    # No penalty to speak of; the way to say none differs between versions.
    model = LogisticRegression(C=1e8, fit_intercept=intercept, max_iter=1000)
    model.fit(features, labels, sample_weight=weights)
    slope = float(model.coef_[0, 0])
    offset = float(model.intercept_[0]) if intercept else 0.0
    return (slope, offset) if slope > 0 else None


def _fit_temperature(scores, targets):
    return _fit_logistic(scores, targets, intercept=False)


def _fit_platt(scores, targets):
    return _fit_logistic(scores, targets, intercept=True)


def _fit_isotonic(scores, targets):
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds='clip')
    model.fit(scores, targets == 1)
    return model.X_thresholds_, model.y_thresholds_


_FITS = dict(temperature=_fit_temperature, platt=_fit_platt, isotonic=_fit_isotonic)


class Reliability(NamedTuple):
    """Probabilities in bins of equal width, ``(B,)`` each.

    Attributes:
        mean: probability in the bin; NaN where it is empty.
        positive: share of positives among its entries; NaN where it is empty.
        count: entries.
    """

    mean: np.ndarray
    positive: np.ndarray
    count: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error, Naeini et al. (2015)."""
        filled = self.count > 0
        gap = np.abs(self.mean - self.positive)[filled]
        return float((gap * self.count[filled]).sum() / max(1, self.count.sum()))


def reliability(
    probabilities: np.ndarray, targets: np.ndarray, bins: int = 15
) -> Reliability:
    """Bin the known entries by their probability.

    Args:
        probabilities: any shape, in [0, 1].
        targets: the same shape, in {1, 0, -1}.
        bins: B; the last one holds 1, too.
    """
    known = targets != -1
    values, positive = probabilities[known], targets[known] == 1
    which = np.minimum((values * bins).astype(np.int64), bins - 1)
    count = np.bincount(which, minlength=bins)
    with np.errstate(invalid='ignore'):
        mean = np.bincount(which, values, bins) / count
        share = np.bincount(which, positive, bins) / count
    return Reliability(mean, share, count)


def calibration_from_json(content: Any, num_classes: int) -> Calibration:
    """The inverse of :meth:`Calibration.to_json`.

    Raises:
        ValueError: a key is missing or holds something else.
    """
    method = content.get('method') if isinstance(content, dict) else None
    if method not in METHODS:
        raise ValueError(f'calibration.method must be one of {METHODS}')
    if method == 'none':
        return Calibration()
    names = ('score', 'probability') if method == 'isotonic' else ('slope', 'intercept')
    lists = []
    for name in names:
        value = content.get(name)
        if not isinstance(value, list) or len(value) != num_classes:
            raise ValueError(f'calibration.{name} must be a list of {num_classes}')
        try:
            rows = value if method == 'isotonic' else [value]
            lists.append([np.array(row, dtype=np.float64) for row in rows])
        except (TypeError, ValueError):
            raise ValueError(f'calibration.{name} must hold numbers') from None
        if not all(row.ndim == 1 and np.isfinite(row).all() for row in lists[-1]):
            raise ValueError(f'calibration.{name} must hold finite numbers')
    if method != 'isotonic':
        (slope,), (intercept,) = lists
        if (slope <= 0).any():
            raise ValueError('calibration.slope must be positive')
        return Calibration(method, slope, intercept)
    for x, y in zip(*lists):
        if len(x) != len(y) or not len(x) or (np.diff(x) <= 0).any():
            raise ValueError(
                'calibration.score must rise, and have as many values as '
                'calibration.probability'
            )
        if (np.diff(y) < 0).any() or y[0] < 0 or y[-1] > 1:
            raise ValueError('calibration.probability must rise from 0 to 1')
    return Calibration(method, curves=tuple(zip(*lists)))
