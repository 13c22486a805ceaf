"""The data set report: figures, pictures and sentences."""

import re

import numpy as np
import pytest

from mmscpnet.datasets.label_statistics import LabelStatistics, SplitLabels
from mmscpnet.visualization.dataset_report import (
    class_table,
    summary_table,
    write_dataset_report,
)

CLASSES = ['cat', 'dog|wolf', 'sea']
FULL = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
OBSERVED = np.array([[1, -1, 0], [-1, 1, -1], [-1, -1, -1], [-1, 1, 0]])


def make(name='train', scores=OBSERVED, full=None, classes=CLASSES):
    split = SplitLabels(name, classes, LabelStatistics(len(classes)))
    split.observed.add(scores)
    split.paths = [f'{name}/{i}.jpg' for i in range(len(scores))]
    split.samples = len(scores)
    if full is not None:
        split.full = LabelStatistics(len(classes))
        split.full.add(full)
        split.hidden_positives = ((scores == -1) & (full == 1)).sum(0)
    return split


def cells(table):
    """Rows of a Markdown table, without header and rule."""
    lines = [re.split(r'(?<!\\)\|', line)[1:-1] for line in table.splitlines()]
    return [[cell.strip() for cell in line] for line in lines if '---' not in line[0]][
        1:
    ]


def test_summary():
    rows = {name: rest for name, *rest in cells(summary_table([make(full=FULL)]))}
    assert rows == {
        'images': ['4', '4'],
        'classes': ['3', '3'],
        'known positives': ['3', '5'],
        'known negatives': ['2', '7'],
        'unknown': ['7', '0'],
        'share of unknown labels': ['58.3%', '0.0%'],
        'known positives an image': ['0.750', '1.250'],
        'most known positives of an image': ['1', '2'],
        'images without a known positive': ['1', '1'],
        'images without any known label': ['1', '0'],
        'classes never positive': ['1', '1'],
    }


def test_classes():
    table = class_table([make(full=FULL), make('test', FULL)])
    assert cells(table) == [
        ['0', 'cat', '1', '0', '75.0%', '2', '2', '2', '0.0%'],
        ['1', r'dog\|wolf', '2', '0', '50.0%', '3', '3', '1', '0.0%'],
        ['2', 'sea', '0', '2', '50.0%', '0', '0', '4', '0.0%'],
    ]


def links(text):
    return set(re.findall(r'!\[\]\((.*?)\)', text))


@pytest.mark.parametrize('masked', [False, True])
def test_report(tmp_path, masked):
    train = make(full=FULL) if masked else make()
    splits = [train, make('test', FULL)]
    found = write_dataset_report(splits, tmp_path, 'My set', 'a command', 3, ['Note.'])
    text = (tmp_path / 'report.md').read_text()
    assert text.startswith('# My set\n\n`a command`\n\nNote.\n')
    # Every picture is shown, every one shown is there.
    pictures = {path.name for path in tmp_path.iterdir()} - {'report.md'}
    assert links(text) == pictures
    assert {'frequencies.png', 'cardinality.png', 'known_train.png'} < pictures
    # Cat and dog occur together, in training only before the masking.
    name = (
        'cooccurrence_train_before_masking.png' if masked else 'cooccurrence_test.png'
    )
    assert name in pictures
    assert ('train: no image has two known positives.' in text) != masked
    assert '| cat | dog\\|wolf | 2 |' in text
    assert 'test: every label is known.' in text
    assert len(found) == len(re.findall('^- ', text, re.M)) > 2
    assert '- train: 1 of 3 classes is never positive: sea.' in text


def test_no_warnings(tmp_path):
    split = make(scores=np.array([[1, 1, 1], [0, 0, 0], [1, 1, 1]])[[0, 2]])
    assert write_dataset_report([split], tmp_path, 'x', 'y', few=2) == []
    text = (tmp_path / 'report.md').read_text()
    assert '## Warnings\n\nNone.' in text
    assert 'cooccurrence_train.png' in text


def test_classes_must_be_the_same(tmp_path):
    other = make('test', classes=['a', 'b', 'c'])
    with pytest.raises(ValueError, match='train and test have different classes'):
        write_dataset_report([make(), other], tmp_path, 'x', 'y')
