"""The label graph report, on similarities whose neighbours are known."""

import re

import numpy as np
import pytest
import torch

from mmscpnet.label_graph import cosine_similarity
from mmscpnet.label_graph.comparison import rank_correlation
from mmscpnet.visualization.label_graph_report import (
    make_source_graph,
    neighbor_table,
    write_label_graph_report,
)
from tests.shared import shared_file

CLASSES = ['cat', 'dog', 'car', 'bus|coach']
SETTINGS = dict(topk=2, neighbor_weight=0.2, temperature=0.2, softmax_over='nonzero')
PAIRS = torch.tensor(
    [[1, 0.9, 0.2, 0.1], [0.9, 1, 0.3, 0.2], [0.2, 0.3, 1, 0.8], [0.1, 0.2, 0.8, 1]]
)
OTHER = torch.tensor(
    [[1, 0.7, 0.6, 0.1], [0.7, 1, 0.3, 0.5], [0.6, 0.3, 1, 0.2], [0.1, 0.5, 0.2, 1]]
)


def test_neighbors():
    source = make_source_graph('clip', PAIRS, CLASSES, SETTINGS)
    lines = neighbor_table([source], CLASSES, 2).splitlines()
    assert lines[0] == '|  | label | clip |'
    # K of 2 counts the label itself: the second neighbour is not in the graph.
    assert lines[2:] == [
        '| 0 | cat | dog 0.90, (car 0.20) |',
        '| 1 | dog | cat 0.90, (car 0.30) |',
        '| 2 | car | bus\\|coach 0.80, (dog 0.30) |',
        '| 3 | bus\\|coach | car 0.80, (dog 0.20) |',
    ]


def test_two_sources():
    sources = [
        make_source_graph('clip', PAIRS, CLASSES),
        make_source_graph('glove', OTHER, CLASSES),
    ]
    assert sources[0].graph is None and 'no label graph' in sources[0].reason
    lines = neighbor_table(sources, CLASSES, 2).splitlines()
    assert lines[2] == (
        '| 0 | cat | **dog 0.90**, **car 0.20** | **dog 0.70**, **car 0.60** | 2 of 2 |'
    )
    assert lines[4] == (
        '| 2 | car | bus\\|coach 0.80, **dog 0.30** | cat 0.60, **dog 0.30** | 1 of 2 |'
    )


def report(folder, sources, classes=CLASSES, **kwargs):
    write_label_graph_report(sources, classes, folder, 'Title', 'command', **kwargs)
    text = (folder / 'report.md').read_text()
    pictures = {path.name for path in folder.iterdir()} - {'report.md'}
    assert set(re.findall(r'!\[\]\((.*?)\)', text)) == pictures
    return text, pictures


def test_report(tmp_path):
    source = make_source_graph('clip', PAIRS, CLASSES, SETTINGS)
    text, pictures = report(tmp_path, [source], k=2, settings=SETTINGS)
    assert pictures == {'similarity.png', 'graph.png'}
    assert '4 labels. Graph: topk=2, neighbor_weight=0.2,' in text
    assert 'Agreement' not in text
    # Least, median and most of six pairs.
    row = next(line for line in text.splitlines() if line.startswith('| clip |'))
    assert row.startswith('| clip | 0.100 | ') and '| 0.250 |' in row
    assert row.endswith('| 0.900 | yes |')


def test_comparison(tmp_path):
    sources = [
        make_source_graph('clip', PAIRS, CLASSES, SETTINGS),
        make_source_graph('glove', OTHER, CLASSES, SETTINGS),
    ]
    text, _ = report(tmp_path, sources, k=9, settings=SETTINGS)
    correlation = rank_correlation(PAIRS.numpy(), OTHER.numpy())
    assert f'all similarities | {correlation:.3f} |' in text
    # There are only three neighbours, so all are common.
    assert '| common among the 3 nearest, mean of the labels | 100.0% |' in text
    assert '| the same for two unrelated sources | 100.0% |' in text
    text, _ = report(tmp_path, sources, k=1, settings=SETTINGS)
    assert '| common among the 1 nearest, mean of the labels | 50.0% |' in text
    assert '| labels without a common neighbour | 2 |' in text
    assert 'They differ most on: car (0%), bus\\|coach (0%), cat (100%)' in text


def test_a_source_without_graph(tmp_path):
    """Word vectors may be dissimilar to all others; the comparison goes on."""
    lonely = PAIRS.clone()
    lonely[0, 1:] = lonely[1:, 0] = -0.5
    sources = [
        make_source_graph('clip', PAIRS, CLASSES, SETTINGS),
        make_source_graph('glove', lonely, CLASSES, SETTINGS),
    ]
    assert sources[1].graph is None
    text, pictures = report(tmp_path, sources, settings=SETTINGS)
    assert 'No graph of glove: no neighbour of positive similarity' in text
    assert "label 0 ('cat')" in text and 'graph.png' in pictures


def test_bad_similarity():
    with pytest.raises(ValueError, match='3 class names'):
        make_source_graph('x', PAIRS, CLASSES[:3])
    broken = PAIRS.clone()
    broken[1, 2] = float('nan')
    with pytest.raises(ValueError, match=r"\('dog'\) and label 2 \('car'\) is nan"):
        make_source_graph('x', broken, CLASSES)


def test_coco_clip_and_glove():
    """Rank correlation of real sources, against one from scikit-free ranks."""
    clip = np.load(shared_file('data/label_similarity/clip_rn50_coco.npy'))
    glove = np.load(shared_file('data/label_features/glove300_coco.npy'))
    glove = cosine_similarity(torch.from_numpy(glove).double()).numpy()
    upper = np.triu_indices(80, 1)
    ranks = [np.argsort(np.argsort(m[upper])) for m in (clip, glove)]
    expected = np.corrcoef(*ranks)[0, 1]
    # Pairs count twice, and the few ties are broken here.
    assert rank_correlation(clip, glove) == pytest.approx(expected, abs=1e-3)
    assert 0.3 < expected < 0.4
