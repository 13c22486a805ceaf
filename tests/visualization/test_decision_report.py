"""Reports of decisions: at both ends of the number of classes, and in odd cases."""

import csv

import numpy as np
import pytest
from PIL import Image

from mmscpnet.evaluation.decision_study import Settings, study_decisions
from mmscpnet.evaluation.score_table import ScoreTable
from mmscpnet.visualization.decision_figures import draw_average_precision
from mmscpnet.visualization.decision_report import write_decision_report


def make(images, classes, seed=0):
    rng = np.random.default_rng(seed)
    targets = (rng.random((images, classes)) < 0.3).astype(np.int8)
    scores = np.clip(0.3 * targets + rng.normal(0.3, 0.2, targets.shape), 0, 1)
    names = [f'label {i} | of a name that is long' for i in range(classes)]
    return ScoreTable(scores.astype(np.float32), targets, ['none.jpg'] * images, names)


def report(table, folder, **settings):
    settings = Settings(**settings)
    study = study_decisions(table, settings, dict(sources=['a']))
    write_decision_report(table, study, settings, folder, 'Title', 'command', 3)
    return study, {path.name for path in folder.iterdir()}


@pytest.mark.parametrize('classes, columns', [(20, 1), (312, 4)])
def test_pictures_stay_legible(tmp_path, classes, columns):
    """A row has at least 16 pixels, and no column more than 80 rows."""
    values = np.linspace(0, 1, classes)
    values[3] = np.nan
    draw_average_precision(
        [f'label {i}' for i in range(classes)], values, tmp_path / 'a.png'
    )
    with Image.open(tmp_path / 'a.png') as picture:
        assert picture.height > 16 * classes / columns
        assert picture.width < 600 * columns + 200


def test_everything_for_many_classes(tmp_path):
    study, files = report(make(60, 90), tmp_path, calibration='temperature')
    assert files == {
        'decisions.json',
        'report.md',
        'per_class.csv',
        'average_precision.png',
        'reliability.png',
        'class_ece.png',
        'confused_pairs.png',
        'false_positives.png',
        'false_negatives.png',
    }
    text = (tmp_path / 'report.md').read_text()
    # A name with a bar does not break the table.
    assert text.count('| label 7 \\| of a name that is long |') == 1
    assert study.decisions.made['sources'] == ['a']


def test_perfect_scores_leave_no_errors_to_show(tmp_path):
    table = make(40, 3)
    table = table._replace(scores=table.targets.astype(np.float32))
    study, files = report(table, tmp_path, calibration='none')
    assert files == {
        'decisions.json',
        'report.md',
        'per_class.csv',
        'average_precision.png',
        'reliability.png',
    }
    assert study.held_out.overall == (1, 1, 1) and not study.warnings
    assert (study.average_precision == 1).all()


def test_one_class_and_a_class_of_which_nothing_is_known(tmp_path):
    one = make(40, 1)
    report(one, tmp_path)
    two = make(40, 2)
    two.targets[:, 1] = -1
    (tmp_path / 'two').mkdir()
    study, _ = report(two, tmp_path / 'two')
    assert (
        np.isnan(study.average_precision[1]) and np.isnan(study.class_ece[:, 1]).all()
    )
    assert any('1 of 2 classes took the threshold' in w for w in study.warnings)
    assert any('1 of 2 classes took the calibration' in w for w in study.warnings)
    with open(tmp_path / 'two/per_class.csv', newline='') as file:
        last = list(csv.reader(file))[-1]
    assert last[1] == '' and last[6:8] == ['0', '0'] and last[-2:] == ['', '']


def test_positives_only(tmp_path):
    """As from annotations that name nothing absent: precision cannot be measured."""
    table = make(60, 3)
    table.targets[table.targets == 0] = -1
    with pytest.raises(ValueError, match='precision cannot be measured'):
        study_decisions(table, Settings(), {})
    with pytest.raises(ValueError, match=r'do without \(none\)'):
        study_decisions(table, Settings('recall', 0.9), {})
    study, _ = report(table, tmp_path, goal='recall', value=0.9, calibration='none')
    assert (study.fitted.recall >= 0.9).all()
    assert 'precision and probabilities come out too high' in study.warnings[0]


def test_a_goal_that_no_class_meets(tmp_path):
    table = make(60, 2)
    table = table._replace(scores=1 - table.targets.astype(np.float32))
    study, _ = report(
        table, tmp_path, goal='precision', value=0.9, calibration='isotonic'
    )
    assert any('2 of 2 classes are never given' in w for w in study.warnings)
    text = (tmp_path / 'report.md').read_text()
    assert '| never |' in text and 'a precision of at least 0.9' in text


def test_one_image_is_refused():
    with pytest.raises(ValueError, match='1 image is too little'):
        study_decisions(make(1, 2), Settings(), {})
