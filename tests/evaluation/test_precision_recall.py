import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support

from mmscpnet.evaluation import (
    count_decisions,
    precision_recall_f1,
    threshold_decisions,
    topk_decisions,
)


def test_hand_computed():
    # class 0: 1 of 2 decisions right, 1 of 1 found; class 1: 2 of 2, 2 of 3
    decisions = torch.tensor([[1, 1], [1, 1], [0, 0]], dtype=torch.bool)
    targets = torch.tensor([[1, 1], [0, 1], [0, 1]])
    found = precision_recall_f1(count_decisions(decisions, targets))
    cp, cr = (1 / 2 + 1) / 2, (1 + 2 / 3) / 2
    assert found == pytest.approx(
        dict(
            CP=cp,
            CR=cr,
            CF1=2 * cp * cr / (cp + cr),
            CF1_mean=(2 / 3 + 4 / 5) / 2,
            OP=3 / 4,
            OR=3 / 4,
            OF1=3 / 4,
        )
    )


def test_equals_sklearn():
    rng = np.random.default_rng(0)
    scores = rng.random((60, 9))
    targets = (rng.random((60, 9)) < 0.3).astype(int)
    targets[:, 4] = 0
    decisions = scores >= 0.7
    decisions[:, 5] = False
    found = precision_recall_f1(
        count_decisions(torch.from_numpy(decisions), torch.from_numpy(targets))
    )
    options = dict(zero_division=0)
    cp, cr, f1, _ = precision_recall_fscore_support(
        targets, decisions, average='macro', **options
    )
    op, overall, of1, _ = precision_recall_fscore_support(
        targets, decisions, average='micro', **options
    )
    expected = dict(CP=cp, CR=cr, CF1_mean=f1, OP=op, OR=overall, OF1=of1)
    expected['CF1'] = 2 * cp * cr / (cp + cr)
    assert found == pytest.approx(expected)
    # the two definitions are different numbers
    assert abs(found['CF1'] - found['CF1_mean']) > 1e-4


def test_unknown_entries_do_not_count():
    decisions = torch.tensor([[True, True], [True, False]])
    targets = torch.tensor([[1, -1], [-1, -1]])
    counts = count_decisions(decisions, targets)
    assert [c.tolist() for c in counts] == [[1, 0], [1, 0], [1, 0]]
    found = precision_recall_f1(counts)
    assert (found['OP'], found['OR'], found['CP']) == (1.0, 1.0, 0.5)


def test_nothing_decided_and_nothing_known():
    zero = precision_recall_f1(
        count_decisions(torch.zeros(3, 2, dtype=torch.bool), torch.full((3, 2), -1))
    )
    assert set(zero.values()) == {0.0}


def test_threshold_includes_its_value():
    scores = torch.tensor([[0.5, 0.4999]])
    assert threshold_decisions(scores, 0.5).tolist() == [[True, False]]


def test_topk():
    scores = torch.tensor([[0.1, 0.9, 0.5, 0.7], [0.2, 0.2, 0.2, 0.2]])
    assert topk_decisions(scores, 2).int().tolist() == [[0, 1, 0, 1], [1, 1, 0, 0]]
    assert topk_decisions(scores[:, :2], 3).all()
