"""Calibration: recovers what was distorted, and is what scikit-learn says."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from mmscpnet.evaluation.calibration import (
    METHODS,
    calibration_from_json,
    fit_calibration,
    reliability,
    safe_logit,
)


def make(images=4000, seed=0):
    """True probabilities, labels drawn from them, and distorted scores."""
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(-1, 1.5, (images, 3)))
    labels = (rng.random(truth.shape) < truth).astype(np.int8)
    slope, offset = np.array([2.0, 0.5, 1.0]), np.array([0.0, 1.0, -2.0])
    scores = expit((logit(truth) - offset) / slope)
    return truth, labels, scores, slope, offset


def test_platt_recovers_slope_and_offset():
    truth, labels, scores, slope, offset = make()
    found = fit_calibration(scores, labels, 'platt')
    np.testing.assert_allclose(found.slope, slope, rtol=0.1)
    np.testing.assert_allclose(found.intercept, offset, atol=0.15)
    assert np.abs(found(scores) - truth).mean() < 0.02


def test_temperature_is_the_maximum_of_the_likelihood():
    _, labels, scores, _, _ = make(images=300)
    found = fit_calibration(scores, labels, 'temperature')
    assert not found.intercept.any()
    for c in range(3):
        best = minimize(loss, [1.0], (logit(scores[:, c]), labels[:, c]), 'Nelder-Mead')
        assert found.slope[c] == pytest.approx(best.x[0], rel=1e-2)


def loss(slope, logits, labels):
    """Negative log-likelihood of Platt's targets."""
    count = labels.sum()
    low = 1 / (len(labels) - count + 2)
    share = np.where(labels == 1, (count + 1) / (count + 2), low)
    p = expit(slope[0] * logits)
    return -(share * np.log(p) + (1 - share) * np.log1p(-p)).sum()


def test_isotonic_is_scikit_learns():
    _, labels, scores, _, _ = make(images=200)
    labels[::3] = -1
    found = fit_calibration(scores, labels, 'isotonic')
    new = np.random.default_rng(1).random((50, 3))
    for c in range(3):
        known = labels[:, c] != -1
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds='clip')
        model.fit(scores[known, c], labels[known, c])
        np.testing.assert_allclose(found(new)[:, c], model.predict(new[:, c]))


@pytest.mark.parametrize('method', METHODS)
def test_monotone_within_bounds_and_the_same_from_a_file(method):
    _, labels, scores, _, _ = make(images=200)
    found = fit_calibration(scores, labels, method)
    ramp = np.repeat(np.linspace(0, 1, 101)[:, None], 3, axis=1)
    given = found(ramp)
    assert (np.diff(given, axis=0) >= 0).all()
    assert given.min() >= 0 and given.max() <= 1
    again = calibration_from_json(json.loads(json.dumps(found.to_json())), 3)
    assert np.array_equal(again(ramp), given)
    assert np.array_equal(again(ramp[0]), given[0])


@pytest.mark.parametrize('method', METHODS[1:])
def test_classes_with_little_known_take_the_common_function(method):
    _, labels, scores, _, _ = make(images=500)
    labels[:, 1] = -1
    # Scores of the third class fall with the label.
    labels[:, 2] = 1 - labels[:, 2]
    found = fit_calibration(scores, labels, method)
    assert found.pooled == ((1,) if method == 'isotonic' else (1, 2))
    known = labels != -1
    flat = fit_calibration(scores[known][:, None], labels[known][:, None], method)
    ramp = np.linspace(0, 1, 11)
    np.testing.assert_allclose(
        found(np.repeat(ramp[:, None], 3, 1))[:, 1], flat(ramp[:, None])[:, 0]
    )


@pytest.mark.parametrize('method', METHODS[1:])
def test_separated_classes_and_saturated_scores_stay_finite(method):
    labels = np.repeat([0, 1], 20)[:, None]
    scores = np.repeat([0.0, 1.0], 20)[:, None].astype(np.float32)
    given = fit_calibration(scores, labels, method)(scores)
    assert np.isfinite(given).all() and (given[:20] < 0.1).all()
    assert (given[20:] > 0.9).all()
    assert np.isfinite(safe_logit(np.array([0.0, 1.0]))).all()


def test_reliability_against_scikit_learn_and_by_hand():
    truth, labels, _, _, _ = make(images=300)
    bins = reliability(truth, labels, 10)
    share, mean = calibration_curve(labels.ravel(), truth.ravel(), n_bins=10)
    filled = bins.count > 0
    np.testing.assert_allclose(bins.positive[filled], share)
    np.testing.assert_allclose(bins.mean[filled], mean)
    # Two entries at 0.1 of which one is positive, one unknown, two certain ones.
    by_hand = reliability(
        np.array([0.1, 0.1, 0.5, 1.0, 1.0]), np.array([1, 0, -1, 1, 1]), 10
    )
    assert by_hand.count.sum() == 4 and by_hand.count[-1] == 2
    assert by_hand.ece == pytest.approx((2 * 0.4 + 0) / 4)
    nothing = reliability(np.array([0.3]), np.array([-1]))
    assert nothing.ece == 0


def test_refusals():
    _, labels, scores, _, _ = make(images=50)
    with pytest.raises(ValueError, match='calibration must be one of'):
        fit_calibration(scores, labels, 'beta')
    with pytest.raises(ValueError, match='needs known positives and known negatives'):
        fit_calibration(scores, np.where(labels == 1, 1, -1), 'platt')
    with pytest.raises(ValueError, match='higher for negatives'):
        fit_calibration(scores, 1 - labels, 'platt')
