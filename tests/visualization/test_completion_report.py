"""The report of proposals whose truth is known."""

import csv

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.completion_report import write_completion_report

from .findings import CLASSES, make_completion


@pytest.fixture
def files(tmp_path):
    names = dict(report='a.md', per_class='a.csv', picture='a.png')
    return {key: tmp_path / name for key, name in names.items()}


def test_report(tmp_path, files):
    labels, completion, _ = make_completion(tmp_path, 40)
    rng = np.random.default_rng(0)
    truth = (rng.random(labels.states.shape) < 0.6).astype(np.int8)
    truth[0, 0] = 0
    study = write_completion_report(labels, completion, truth, files, 'the command')
    text = files['report'].read_text(encoding='utf-8')
    given = completion.positives
    correct = int((given & (truth == 1)).sum())
    assert f'Of {given.sum()} proposals {given.sum()} can be judged' in text
    assert f'{correct} of these are right' in text
    assert f'precision {100 * correct / given.sum():.1f}%' in text
    wrong = int(((labels.states == 1) & (truth == 0)).sum())
    assert f'1 known labels, of which 1 are wrong; {wrong} known labels' in text
    assert f'{100 * completion.confidence[given].mean():.1f}%' in text
    # A bar in a name is no border of the table.
    assert "it's \\| {{style}}" in text and '`the command`' in text
    with open(files['per_class'], newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['class'] for row in rows] == CLASSES
    for c, row in enumerate(rows):
        assert int(row['proposed']) == given[:, c].sum()
        assert float(row['precision']) == pytest.approx(study.precision[c])
        assert float(row['recall']) == pytest.approx(study.recall[c])
        mean = completion.confidence[given[:, c], c].mean()
        assert float(row['expected']) == pytest.approx(mean)
    with Image.open(files['picture']) as picture:
        assert picture.width > 800 and np.ptp(np.asarray(picture.convert('L'))) > 99


def test_nothing_proposed_nothing_hidden(tmp_path, files):
    labels, completion, _ = make_completion(tmp_path, 3, calibrated=False)
    nothing = completion._replace(
        positives=np.zeros_like(completion.positives), proposals=[], errors={0: 'bad'}
    )
    truth = np.zeros_like(labels.states)
    write_completion_report(labels, nothing, truth, files, 'x')
    text = files['report'].read_text(encoding='utf-8')
    assert 'precision \u2013' in text and 'Expected' not in text
    assert '1 photos could not be used' in text
    with open(files['per_class'], newline='', encoding='utf-8') as file:
        row = next(csv.DictReader(file))
    assert row['precision'] == row['recall'] == row['expected'] == ''
    assert files['picture'].is_file()
