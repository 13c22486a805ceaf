"""The labels of a file, compact."""

import numpy as np
import pytest

from mmscpnet.datasets.protocols import LabelTable


@pytest.mark.parametrize('unlisted', [0, -1])
def test_against_a_matrix(unlisted):
    full = np.random.default_rng(0).integers(-1, 2, (40, 7)).astype(np.int8)
    full[3] = -1
    full[:, 6] = 0
    labels = [(np.flatnonzero(r == 1).tolist(), np.flatnonzero(r == 0)) for r in full]
    table = LabelTable(labels, 7, unlisted)
    expected = np.where(full == -1, unlisted, full)
    assert len(table) == 40
    assert np.array_equal(np.stack(list(table.rows())), expected)
    assert table.row(5).dtype == np.int8
    positives, known = table.class_counts()
    assert positives.tolist() == (expected == 1).sum(axis=0).tolist()
    assert known.tolist() == (expected != -1).sum(axis=0).tolist()
    images = table.images_of_class()
    assert [i.tolist() for i in images] == [
        np.flatnonzero(column == 1).tolist() for column in expected.T
    ]


def test_empty():
    table = LabelTable([], 3, 0)
    assert len(table) == 0 and table.class_counts()[0].tolist() == [0, 0, 0]
