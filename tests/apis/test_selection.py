"""What is proposed and what is doubted, against slow loops."""

import itertools

import numpy as np
import pytest

from mmscpnet.apis.selection import doubtful, limit_per_image, meet_precision


def test_precision_is_the_largest_set_of_that_mean():
    rng = np.random.default_rng(0)
    # Few values, so that some are equal.
    confidence = rng.integers(1, 10, (8, 30)) / 10
    unknown = rng.random((8, 30)) < 0.7
    for target in (0.3, 0.6, 0.9):
        chosen = meet_precision(confidence, unknown, target)
        assert not (chosen & ~unknown).any()
        for c in range(30):
            values = confidence[unknown[:, c], c]
            sizes = [
                size
                for threshold in {*values}
                if (size := (values >= threshold).sum())
                and values[values >= threshold].mean() >= target - 1e-9
            ]
            assert chosen[:, c].sum() == max(sizes, default=0)
            if chosen[:, c].any():
                lowest = confidence[chosen[:, c], c].min()
                rest = unknown[:, c] & ~chosen[:, c]
                assert (confidence[rest, c] < lowest).all()


def test_precision_of_equal_values_and_of_nothing():
    confidence = np.full((10, 1), 0.9)
    everything = np.ones((10, 1), bool)
    assert meet_precision(confidence, everything, 0.9).all()
    assert not meet_precision(confidence, everything, 0.91).any()
    assert not meet_precision(confidence, ~everything, 0.5).any()
    # NaN, of a photo that was not read, is never among the unknown.
    confidence[3] = np.nan
    assert meet_precision(confidence, ~np.isnan(confidence), 0.9).sum() == 9
    for target in (0, -1, 1.2, float('nan')):
        with pytest.raises(ValueError, match='a precision from above 0 to 1'):
            meet_precision(confidence, everything, target)


def test_limit_per_image():
    rng = np.random.default_rng(1)
    ranking, chosen = rng.random((6, 5)), rng.random((6, 5)) < 0.6
    for limit in (1, 2, 9):
        kept = limit_per_image(chosen, ranking, limit)
        for row, (mine, all_of_it) in enumerate(zip(kept, chosen)):
            best = sorted(np.flatnonzero(all_of_it), key=lambda c: -ranking[row, c])
            assert np.flatnonzero(mine).tolist() == sorted(best[:limit])
    assert limit_per_image(chosen, ranking, None) is chosen
    with pytest.raises(ValueError, match='at least 1 label'):
        limit_per_image(chosen, ranking, 0)


def test_doubts_are_of_known_labels_only():
    cases = list(itertools.product((0.01, 0.5, 0.99, np.nan), (1, 0, -1)))
    confidence, states = np.array(cases).T[:, :, None]
    found = doubtful(confidence, states, 0.95).ravel()
    wanted = [case in {(0.01, 1), (0.99, 0)} for case in cases]
    assert found.tolist() == wanted and sum(wanted) == 2
    with pytest.raises(ValueError, match='doubt'):
        doubtful(confidence, states, 0.5)
