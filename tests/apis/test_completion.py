"""Completion by small models: scores, limits, photos that fail, label sets."""

import json
import warnings

import numpy as np
import pytest
import torch

from mmscpnet.apis import (
    Choice,
    FeatureInferencer,
    MultiLabelInferencer,
    complete_labels,
)
from mmscpnet.apis.completion_files import completed_records
from mmscpnet.apis.photo_paths import find_photos
from mmscpnet.datasets.formats.provenance import read_traced_labels
from mmscpnet.evaluation import Decisions
from mmscpnet.evaluation.calibration import Calibration

from .small_models import CLASSES, linear_head, make_config, make_photos, save_model


def decisions_file(folder, thresholds=0.5, method='platt'):
    size = len(CLASSES)
    calibration = Calibration()
    if method == 'platt':
        calibration = Calibration(method, np.full(size, 0.7), np.linspace(-1, 1, size))
    decisions = Decisions(tuple(CLASSES), np.full(size, thresholds), calibration)
    path = folder / 'decisions.json'
    path.write_text(json.dumps(decisions.to_json()))
    return path


@pytest.fixture
def labels(trained):
    return read_traced_labels(trained[2].parent / 'test.json')


@pytest.fixture
def photos(trained, labels):
    return find_photos(trained[2], labels.images)


def test_scores_and_proposals_are_those_of_the_inferencer(
    trained, labels, photos, tmp_path
):
    file = decisions_file(tmp_path, 0.45)
    inferencer = FeatureInferencer(*trained[:2], thresholds=file, batch_size=4)
    found = complete_labels(inferencer, labels, photos, Choice(doubt=0.51))
    plain = MultiLabelInferencer(*trained[:2], thresholds=file)(photos)
    scores = np.stack([result['scores'] for result in plain])
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)
    confidence = np.stack([result['probabilities'] for result in plain])
    np.testing.assert_allclose(found.confidence, confidence, atol=1e-6)
    unknown = labels.states == -1
    want = np.stack([result['decisions'] for result in plain]) & unknown
    assert want.any() and (found.positives == want).all()
    assert not found.negatives.any() and found.errors == {}
    order = [f.confidence for f in found.proposals]
    assert order == sorted(order, reverse=True) and len(order) == want.sum()
    head = inferencer.model.head
    for finding in found.proposals:
        i, c = finding.image, finding.label
        assert finding.state == -1 and want[i, c]
        assert finding.score == scores[i, c]
        # The evidence explains the very score.
        logit = head.log_scale.exp().item() * finding.evidence.cosine
        assert torch.tensor(logit).sigmoid().item() == pytest.approx(scores[i, c], 1e-4)
    doubt = np.where(labels.states == 1, 1 - confidence, confidence) >= 0.51
    assert {(f.image, f.label) for f in found.disputed} == {
        *zip(*np.nonzero(doubt & ~unknown))
    }
    assert found.disputed
    for row, record in zip(labels.states, completed_records(labels, found)):
        # Known labels are never changed.
        known = np.flatnonzero(row == 1).tolist()
        assert set(known) <= set(record.positives)
        assert record.negatives == np.flatnonzero(row == 0).tolist()
        sources = record.extra['provenance']
        assert {int(c) for c, s in sources.items() if s == 'proposed'} == set(
            record.positives
        ) - set(known)


def test_choices(trained, labels, photos, tmp_path):
    file = decisions_file(tmp_path)
    inferencer = FeatureInferencer(*trained[:2], thresholds=file)
    unknown = labels.states == -1

    def run(**choice):
        return complete_labels(inferencer, labels, photos, Choice(**choice))

    found = run(precision=0.4, max_per_image=1)
    assert found.positives.sum(1).max() == 1
    free = run(precision=0.4).positives
    for row, mine in zip(np.where(free, found.confidence, -1), found.positives):
        if (row >= 0).any():
            assert np.flatnonzero(mine).tolist() == [row.argmax()]
    means = [found.confidence[free[:, c], c] for c in range(5) if free[:, c].any()]
    assert means and all(values.mean() >= 0.4 for values in means)
    found = run(classes=[1, 3], absence=0.6)
    assert not found.positives[:, [0, 2, 4]].any()
    want = unknown & ~found.positives & (1 - found.confidence >= 0.6)
    want[:, [0, 2, 4]] = False
    assert want.any() and (found.negatives == want).all()
    assert {f.label for f in found.disputed} <= {1, 3}
    records = list(completed_records(labels, found))
    i, c = np.argwhere(want)[0]
    assert c in records[i].negatives
    confidence = records[i].extra['confidence'][str(c)]
    assert confidence == pytest.approx(1 - found.confidence[i, c], abs=1e-6)


@pytest.mark.parametrize('choice', [Choice(precision=0.5), Choice(absence=0.9)])
def test_calibration_is_needed(trained, labels, photos, tmp_path, choice):
    with pytest.raises(ValueError, match='there is no decisions file'):
        complete_labels(FeatureInferencer(*trained[:2]), labels, photos, choice)
    file = decisions_file(tmp_path, method='none')
    inferencer = FeatureInferencer(*trained[:2], thresholds=file)
    with pytest.raises(ValueError, match='are none in it'):
        complete_labels(inferencer, labels, photos, choice)
    # Without: scores are not taken for calibrated probabilities.
    assert complete_labels(inferencer, labels, photos).confidence is None


def test_labels_in_another_order_and_fewer(trained, labels, photos):
    inferencer = FeatureInferencer(*trained[:2], threshold=0.4, show_progress=False)
    whole = complete_labels(inferencer, labels, photos)
    order = [3, 0, 4]
    other = labels._replace(
        classes=[CLASSES[c] for c in order], states=labels.states[:, order]
    )
    part = complete_labels(inferencer, other, photos)
    np.testing.assert_array_equal(part.scores, whole.scores[:, order])
    known = {(f.image, f.label): f for f in whole.proposals}
    assert part.proposals
    for finding in part.proposals:
        same = known[finding.image, order[finding.label]]
        assert finding.score == same.score
        names = [other.classes[n.label] for n in finding.evidence.neighbors]
        kept = [n for n in same.evidence.neighbors if n.label in order]
        assert names == [CLASSES[n.label] for n in kept]
    wrong = labels._replace(classes=[*CLASSES[:4], 'zebra'])
    with pytest.raises(ValueError, match="does not know: label 4 is 'zebra'"):
        complete_labels(inferencer, wrong, photos)


def test_photos_that_fail_and_nothing_unknown(trained, labels, photos, tmp_path):
    inferencer = FeatureInferencer(*trained[:2], threshold=0.0, show_progress=False)
    (tmp_path / 'bad.png').write_bytes(b'no photo')
    broken = [str(tmp_path / 'bad.png'), *photos[1:5], str(tmp_path / 'none.png')]
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)
        found = complete_labels(inferencer, labels, broken)
    assert set(found.errors) == {0, 5}
    assert np.isnan(found.scores[[0, 5]]).all()
    assert not found.positives[[0, 5]].any() and found.positives[1:5].any()
    assert not {0, 5} & {f.image for f in (*found.proposals, *found.disputed)}
    with pytest.raises(ValueError, match='none of the 6 photos can be read'):
        complete_labels(inferencer, labels, [str(tmp_path / 'none.png')] * 6)
    full = labels._replace(states=np.abs(labels.states))
    found = complete_labels(inferencer, full, photos)
    assert found.proposals == [] and not found.positives.any()


def test_a_linear_head(tmp_path):
    make_photos(tmp_path)
    files = save_model(make_config(tmp_path, linear_head()), tmp_path)
    labels = read_traced_labels(tmp_path / 'test.json')
    photos = find_photos(tmp_path / 'photos', labels.images)
    inferencer = FeatureInferencer(*files, threshold=0.1, show_progress=False)
    found = complete_labels(inferencer, labels, photos)
    assert found.proposals
    assert all(f.evidence.cosine is None for f in found.proposals)


def test_windows_names_and_addresses(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'b.jpg').touch()
    (tmp_path / 'c\\d.jpg').touch()
    names = ['a\\b.jpg', 'c\\d.jpg', 'x\\y.jpg', 's3://bucket/a.jpg', 'a/b.jpg']
    assert find_photos(tmp_path, names) == [
        str(tmp_path / 'a' / 'b.jpg'),
        str(tmp_path / 'c\\d.jpg'),
        str(tmp_path / 'x\\y.jpg'),
        's3://bucket/a.jpg',
        str(tmp_path / 'a' / 'b.jpg'),
    ]
