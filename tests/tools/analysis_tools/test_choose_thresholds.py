"""``tools/analysis_tools/choose_thresholds.py``: from scores to decisions."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from mmscpnet.evaluation import SaveScores, load_decisions, load_scores
from tests.shrunken_configs import shrink

TOOL = 'analysis_tools/choose_thresholds.py'


def write_scores(folder, images=150, classes=8, known=1.0):
    rng = np.random.default_rng(0)
    labels = (rng.random((images, classes)) < np.linspace(0.4, 0.1, classes)).astype(
        np.int8
    )
    logits = 3 * labels - 1.5 + rng.normal(0, 1, labels.shape) - 1
    for i in range(8):
        Image.new('RGB', (20, 20), (30 * i, 0, 0)).save(folder / f'{i}.jpg')
    np.savez(
        folder / 'scores.npz',
        scores=expit(2 * logits).astype(np.float32),
        targets=np.where(rng.random(labels.shape) < known, labels, -1).astype(np.int8),
        img_path=np.array([str(folder / f'{i % 8}.jpg') for i in range(images)]),
        classes=np.array([f'label {i}' for i in range(classes)]),
    )
    return str(folder / 'scores.npz')


def read_table(folder):
    with open(folder / 'per_class.csv', newline='') as file:
        return list(csv.DictReader(file))


def test_figures_are_those_of_scikit_learn(tool, tmp_path, capsys):
    scores = write_scores(tmp_path)
    tool(TOOL).main([scores, '--out', str(tmp_path / 'out')])
    out = capsys.readouterr().out
    assert 'overall F1, held out' in out and 'Mind' not in out
    table = load_scores(scores)
    decisions = load_decisions(tmp_path / 'out/decisions.json')
    decided = decisions.decide(table.scores)
    precision, recall, f1, _ = precision_recall_fscore_support(
        table.targets, decided, average=None
    )
    for c, row in enumerate(read_table(tmp_path / 'out')):
        assert row['class'] == f'label {c}'
        want = average_precision_score(table.targets[:, c], table.scores[:, c])
        assert float(row['AP']) == pytest.approx(want)
        assert float(row['precision']) == pytest.approx(precision[c])
        assert float(row['recall']) == pytest.approx(recall[c])
        assert float(row['F1']) == pytest.approx(f1[c])
        assert int(row['positives']) == table.targets[:, c].sum()
        assert float(row['threshold']) == decisions.thresholds[c]
        assert float(row['F1 held out']) <= f1[c] + 1e-9
    before, after = (
        np.mean([float(row[f'ECE {name}']) for row in read_table(tmp_path / 'out')])
        for name in ('before', 'after')
    )
    assert after < 0.8 * before
    made = json.loads((tmp_path / 'out/decisions.json').read_text())['made']
    assert made['goal'] == 'f1' and made['images'] == 150
    assert made['known_positives'] == table.targets.sum(0).tolist()
    report = (tmp_path / 'out/report.md').read_text()
    for name in (
        'average_precision',
        'reliability',
        'class_ece',
        'confused_pairs',
        'false_positives',
        'false_negatives',
    ):
        assert f']({name}.png)' in report
        with Image.open(tmp_path / f'out/{name}.png') as picture:
            assert picture.width > 200 and np.ptp(np.asarray(picture.convert('L'))) > 99
    with pytest.raises(ValueError, match='is not empty|--overwrite'):
        tool(TOOL).main([scores, '--out', str(tmp_path / 'out')])


def test_goals_are_met_from_incomplete_labels_and_the_bias_is_told(
    tool, tmp_path, capsys
):
    scores = write_scores(tmp_path, known=0.5)
    table = load_scores(scores)
    known = table.targets != -1
    for goal, value in (('precision', 0.9), ('recall', 0.9), ('budget', 1.5)):
        out = tmp_path / goal
        words = ['--goal', goal, '--value', str(value), '--calibration', 'isotonic']
        words += ['--photos', '2']
        tool(TOOL).main([scores, '--out', str(out), *words])
        printed = capsys.readouterr().out
        assert 'entries are known' in printed and 'thresholds too low' in printed
        assert 'entries are known' in (out / 'report.md').read_text()
        given = load_decisions(out / 'decisions.json').decide(table.scores)
        correct = (given & (table.targets == 1)).sum(0)
        if goal == 'precision':
            assert (correct >= 0.9 * (given & known).sum(0) - 1e-9).all()
        elif goal == 'recall':
            assert (correct >= 0.9 * (table.targets == 1).sum(0) - 1e-9).all()
        else:
            assert 1.4 < given.sum() / len(given) <= 1.5
    tool(TOOL).main(
        [scores, '--scope', 'global', '--calibration', 'none', '--out', f'{tmp_path}/g']
    )
    assert len(set(load_decisions(tmp_path / 'g/decisions.json').thresholds)) == 1


@pytest.mark.parametrize(
    'words, message',
    [
        (['--goal', 'precision'], '--value goes with'),
        (['--value', '0.5'], '--value goes with'),
        (['--folds', '1'], '--folds must be at least 2'),
        (['b', 'c'], 'one file of scores, or a config and a checkpoint'),
    ],
)
def test_wrong_words(tool, tmp_path, capsys, words, message):
    with pytest.raises(SystemExit):
        tool(TOOL).main(['a', *words])
    assert message in capsys.readouterr().err


def test_from_a_config_and_a_checkpoint(tool, tmp_path):
    """The scores are those of the validation set, not of the test set."""
    from mmengine.registry import init_default_scope

    from mmscpnet.registry import MODELS

    config = shrink('scpnet/scpnet_clip-rn50_1xb128_voc12-spml.py', tmp_path)
    config.test_dataloader.dataset.ann_file = 'not there'
    config.dump(tmp_path / 'config.py')
    init_default_scope('mmscpnet')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'a.pth')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        tool(TOOL).main(
            [str(tmp_path / 'config.py'), str(tmp_path / 'a.pth'), '--folds', '2']
        )
    out = tmp_path / 'work_dirs/decisions/config'
    content = json.loads((out / 'decisions.json').read_text())
    assert content['made']['split'] == 'val' and content['made']['images'] == 10
    assert content['classes'] == list(model.head.classes)
    assert SaveScores.__name__ not in content['made']['command']
