"""The graph that a model keeps: sources, checkpoint, dynamic graphs."""

import numpy as np
import pytest
import torch

from mmscpnet.label_graph import (
    DynamicLabelGraph,
    FeatureFile,
    SimilarityFile,
    StaticLabelGraph,
    TextSource,
    average_features_per_label,
    build_label_graph,
    cosine_similarity,
)
from mmscpnet.models.text_encoders import BaseTextEncoder

CLASSES = ['cat', 'dog', 'sea', 'sky']


def settings(**kwargs):
    return dict(classes=CLASSES, topk=2, neighbor_weight=0.2, temperature=0.3, **kwargs)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'features.npy'
    np.save(path, np.random.default_rng(0).random((4, 6)).astype('f4'))
    return str(path)


def test_static_graph_is_that_of_its_source(file):
    module = StaticLabelGraph(dict(type='FeatureFile', path=file), **settings())
    placeholder = module().normalized
    module.init_weights()
    expected = build_label_graph(FeatureFile(file).similarity(CLASSES), 2, 0.2, 0.3)
    torch.testing.assert_close(module(), expected)
    assert not torch.equal(placeholder, expected.normalized)
    # Sparse: two entries a row, not four.
    assert module.indices.shape == (2, 8) and module.normalized.shape == (8,)


def test_checkpoint_holds_graph_names_and_settings(file):
    module = StaticLabelGraph(FeatureFile(file), **settings())
    module.init_weights()
    # Another number of entries, no source: all comes from the checkpoint.
    other = StaticLabelGraph(None, **{**settings(), 'topk': 3, 'temperature': 1.0})
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(), module())
    assert other.settings == module.settings


def test_graph_of_other_labels_is_refused():
    module = StaticLabelGraph(None, **settings())
    names = ['cat', 'dog', 'sky', 'sun']
    other = StaticLabelGraph(None, **{**settings(), 'classes': names})
    message = r"label 2 is 'sea', expected 'sky'; not expected: \['sea'\]"
    with pytest.raises(ValueError, match=message):
        other.load_state_dict(module.state_dict())


def test_settings_are_checked_when_the_model_is_built():
    with pytest.raises(ValueError, match='found topk=5'):
        StaticLabelGraph(None, **{**settings(), 'topk': 5})
    with pytest.raises(ValueError, match='found topk=0'):
        DynamicLabelGraph(CLASSES, topk=0)


@pytest.mark.parametrize('with_grad', [True, False])
def test_dynamic_graph(with_grad):
    features = torch.rand(4, 6, requires_grad=True)
    graph = DynamicLabelGraph(**settings(with_grad=with_grad))(features)
    expected = build_label_graph(cosine_similarity(features), 2, 0.2, 0.3)
    torch.testing.assert_close(graph.normalized, expected.normalized)
    assert graph.normalized.requires_grad == with_grad


class LengthEncoder(BaseTextEncoder):
    """Feature of a text: its length, and one."""

    embed_dims = 2
    supports_prompts = False

    def encode(self, texts):
        return torch.tensor([[float(len(text)), 1.0] for text in texts])


def test_text_source_fills_the_template():
    names = ['cat', 'dining_table']
    source = TextSource(LengthEncoder(), 'a {}')
    expected = cosine_similarity(torch.tensor([[5.0, 1.0], [14.0, 1.0]]))
    torch.testing.assert_close(source.similarity(names), expected)
    several = TextSource(LengthEncoder(), ['a {}', '{}']).similarity(names)
    assert several.shape == (2, 2)


def test_files_are_checked(tmp_path):
    with pytest.raises(FileNotFoundError, match='no label matrix at absent.npy'):
        SimilarityFile('absent.npy').similarity(CLASSES)
    path = tmp_path / 'm.npy'
    np.save(path, np.zeros((3, 3)))
    with pytest.raises(ValueError, match='3 rows, but there are 4 classes'):
        SimilarityFile(str(path)).similarity(CLASSES)
    np.save(path, np.zeros(3))
    with pytest.raises(ValueError, match='two-dimensional'):
        FeatureFile(str(path)).similarity(CLASSES)
    (tmp_path / 'm.csv').write_text('1')
    with pytest.raises(ValueError, match='.npy or .pt'):
        FeatureFile(str(tmp_path / 'm.csv')).similarity(CLASSES)
    torch.save(torch.eye(4), tmp_path / 'm.pt')
    assert SimilarityFile(str(tmp_path / 'm.pt')).similarity(CLASSES).shape == (4, 4)


def test_averages_count_known_positives_only():
    features = torch.tensor([[1.0], [3.0], [100.0]])
    targets = torch.tensor([[1, -1], [1, 1], [0, 0]])
    found = average_features_per_label(features, targets)
    assert found.tolist() == [[2.0], [3.0]]
    with pytest.raises(ValueError, match='label 1 has no known positive'):
        average_features_per_label(features, torch.tensor([[1, 0], [1, -1], [0, 0]]))
