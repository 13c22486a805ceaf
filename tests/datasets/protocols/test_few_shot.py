"""Some labelled images of every class."""

import numpy as np
import pytest

from mmscpnet.datasets.protocols import LabelTable, build_protocol
from mmscpnet.datasets.protocols.few_shot import labelled_images


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return (rng.random((200, 6)) < [0.5, 0.2, 0.1, 0.05, 0.01, 0]).astype(np.int8)


@pytest.mark.parametrize('shots', [1, 4, 16, 500])
def test_against_loops(labels, shots):
    of_class = [np.flatnonzero(column) for column in labels.T]
    found = labelled_images(of_class, 200, shots, seed=3)
    expected = set()
    for label in range(6):
        images = [i for i in range(200) if labels[i, label]]
        shuffled = np.random.default_rng((3, label)).permutation(images)
        expected |= {int(i) for i in shuffled[:shots]}
        # Every class has its shots, as far as it has images.
        assert (labels[found, label] == 1).sum() >= min(shots, len(images))
    assert set(np.flatnonzero(found).tolist()) == expected


def test_labelled_images_are_labelled_completely(labels):
    table = LabelTable(((np.flatnonzero(row), ()) for row in labels), 6, 0)
    protocol = build_protocol('few-shot', shots=2)
    protocol.prepare(table)
    masked = np.stack([protocol.mask(row, i, '') for i, row in enumerate(labels)])
    known = (masked != -1).all(axis=1)
    assert (masked[known] == labels[known]).all() and (masked[~known] == -1).all()
    assert 2 <= known.sum() <= 5 * 2


def test_a_class_does_not_change_the_draw_of_another(labels):
    of_class = [np.flatnonzero(column) for column in labels.T]
    alone = labelled_images([*of_class[:2], *[np.array([], int)] * 4], 200, 5)
    together = labelled_images(of_class, 200, 5)
    assert together[alone].all()
