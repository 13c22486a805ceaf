"""Keeping a part of the positives."""

import numpy as np
import pytest

from mmscpnet.datasets.protocols import build_protocol, sample_rng
from mmscpnet.datasets.protocols.positives import (
    keep_each_positive,
    keep_positives_splc,
)

# Labels of a photo in SPLC's full list of COCO, and how many of them its lists with
# 75% and 40% left have; read off the published files.
PUBLISHED = [
    (1, 1, 1),
    (2, 2, 1),
    (3, 2, 1),
    (4, 3, 1),
    (5, 3, 2),
    (6, 4, 2),
    (7, 4, 2),
    (8, 5, 2),
    (9, 5, 2),
    (10, 6, 3),
    (11, 6, 3),
    (13, 7, 3),
    (15, 8, 4),
]


@pytest.mark.parametrize(('labels', 'three_quarters', 'two_fifths'), PUBLISHED)
def test_as_many_stay_as_in_the_published_lists(labels, three_quarters, two_fifths):
    score = np.zeros(80, dtype=np.int8)
    score[np.random.default_rng(labels).permutation(80)[:labels]] = 1
    for ratio, expected in ((0.75, three_quarters), (0.4, two_fifths)):
        protocol = build_protocol('keep-positives', ratio=ratio)
        masked = protocol.mask(score, 5, 'a.jpg')
        assert (masked == 1).sum() == expected
        assert (masked == 0).sum() == 0
        assert (score[masked == 1] == 1).all()


def test_no_positive_stays_none():
    score = np.array([0, 0, -1], dtype=np.int8)
    assert keep_positives_splc(score, sample_rng(0, 0), 2).tolist() == [-1] * 3


def test_all_positives_are_equally_likely():
    score = np.array([1, 0, 1, 1, 1], dtype=np.int8)
    kept = [keep_positives_splc(score, sample_rng(0, i), 2) == 1 for i in range(3000)]
    assert np.abs(np.mean(kept, axis=0) - [0.75, 0, 0.75, 0.75, 0.75]).max() < 0.03
    kept = [keep_each_positive(score, sample_rng(0, i), 0.2) == 1 for i in range(3000)]
    assert np.abs(np.mean(kept, axis=0) - [0.2, 0, 0.2, 0.2, 0.2]).max() < 0.03
    assert not np.all(np.any(kept, axis=1))
