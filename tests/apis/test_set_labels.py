"""Other labels on a trained model: in another order, new ones, and what cannot."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmscpnet.apis import MultiLabelInferencer
from mmscpnet.label_graph import build_label_graph, cosine_similarity

from .small_models import (
    CLASSES,
    ENCODER,
    GRAPH,
    MINILM,
    linear_head,
    make_config,
    make_photos,
    save_model,
    scp_head,
)

ORDER = [3, 0, 4, 2, 1]
PERMUTED = [CLASSES[i] for i in ORDER]
NEW = ['zebra', 'cat', 'fire hydrant', 'dog', 'snow', 'sea']
MINILM_HEAD = dict(
    prompter=dict(type='FixedLabelFeatures', text_encoder=MINILM),
    label_graph=dict(
        type='StaticLabelGraph',
        source=dict(type='TextSource', text_encoder=MINILM),
        topk=3,
    ),
)
EYE = torch.eye(5, 24).tolist()


def scores_of(results):
    return np.stack([result['scores'] for result in results])


@pytest.fixture
def model(tmp_path):
    """Write a model with a head of these settings; an inferencer, and its photos."""
    make_photos(tmp_path)

    def make(**changes):
        config = make_config(tmp_path, scp_head(**changes))
        files = save_model(config, tmp_path)
        return MultiLabelInferencer(*files), tmp_path / 'photos'

    return make


VARIANTS = {
    'paper': {},
    'dynamic graph': dict(label_graph=dict(type='DynamicLabelGraph', topk=3)),
    'without SAM': dict(association=None, label_graph=None),
    'own bias for each label': dict(bias='per_class'),
    'one bias': dict(bias='shared', bias_init=-1.0),
    'features of a file': dict(
        prompter=dict(type='FixedLabelFeatures', features=EYE),
        label_graph={**GRAPH, 'source': None},
    ),
    'trained features': dict(
        prompter=dict(type='FixedLabelFeatures', features=EYE, learnable=True)
    ),
    'sentence encoder': MINILM_HEAD,
}


@pytest.mark.parametrize('name', VARIANTS)
def test_another_order_gives_the_same_scores_permuted(model, name):
    inferencer, photos = model(**VARIANTS[name])
    head = inferencer.model.head
    if name == 'own bias for each label':
        torch.nn.init.normal_(head.bias)
    before = scores_of(inferencer(photos))
    assert before.std(axis=1).min() > 1e-4
    matrices = None
    if name == 'paper':
        matrices = [matrix[ORDER][:, ORDER] for matrix in head.label_graph()]
        # Kept neighbours: a graph whose rows differ, so that the order matters.
        assert (matrices[0] == 0).any()
    inferencer.set_labels(PERMUTED)
    assert inferencer.classes == PERMUTED
    np.testing.assert_allclose(
        scores_of(inferencer(photos)), before[:, ORDER], atol=1e-6
    )
    if matrices is not None:
        for found, expected in zip(head.label_graph(), matrices):
            torch.testing.assert_close(found, expected, rtol=0, atol=0)
    inferencer.set_labels(CLASSES)
    np.testing.assert_allclose(scores_of(inferencer(photos)), before, atol=1e-6)


def independent_scores(inferencer, names, photos, topk):
    """Eq. 1-7 for other labels, written out, from the weights of the model."""
    head, encoder = inferencer.model.head, inferencer.model.head.prompter.text_encoder
    with torch.no_grad():
        similarity = cosine_similarity(
            encoder.encode([f'a photo of a {name}' for name in names])
        )
        graph = build_label_graph(similarity, topk, 0.2, 0.2)
        features = []
        for name in names:
            start, name, stop = (
                encoder.embed(torch.tensor(ids))
                for ids in (
                    encoder.prefix_ids,
                    encoder.tokenize(name + '.'),
                    encoder.suffix_ids,
                )
            )
            prefix = torch.cat([start, head.prompter.context[0, 0]])
            features.append(encoder(prefix, [torch.cat([name, stop])])[0])
        hidden = label_features = torch.stack(features)
        for weight in head.association.weights:
            hidden = F.leaky_relu(graph.normalized @ hidden @ weight, 0.2)
        labels = F.normalize(label_features + hidden, dim=1)
        images = []
        hook = head.register_forward_pre_hook(
            lambda module, args: images.append(args[0][-1].clone())
        )
        inferencer(photos)
        hook.remove()
        images = F.normalize(torch.cat(images), dim=1)
        return (10 * images @ labels.t()).sigmoid().numpy()


def test_new_and_trained_labels_together(model):
    inferencer, photos = model()
    inferencer.set_labels(NEW)
    found = scores_of(inferencer(photos))
    assert found.shape == (6, len(NEW))
    expected = independent_scores(inferencer, NEW, photos, topk=4)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert set(inferencer(photos)[0]['labels']) <= set(NEW)


@pytest.mark.parametrize('names', [['zebra', 'cat', 'snow'], ['zebra']])
def test_the_graph_of_few_labels_keeps_all_of_them(model, names):
    inferencer, photos = model()
    inferencer.set_labels(names)
    assert inferencer.model.head.label_graph.settings['topk'] == len(names)
    found = scores_of(inferencer(photos))
    expected = independent_scores(inferencer, names, photos, topk=len(names))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_without_a_graph_trained_labels_keep_their_scores(model):
    inferencer, photos = model(association=None, label_graph=None, bias='shared')
    before = scores_of(inferencer(photos))
    inferencer.set_labels(NEW)
    after = scores_of(inferencer(photos))
    for name in ('cat', 'dog', 'sea'):
        np.testing.assert_allclose(
            after[:, NEW.index(name)], before[:, CLASSES.index(name)], atol=1e-6
        )


def test_new_labels_with_a_sentence_encoder(model):
    inferencer, photos = model(**MINILM_HEAD)
    kept = inferencer.model.head.prompter.features[0].clone()
    inferencer.set_labels(NEW)
    features = inferencer.model.head.prompter.features
    assert features.shape == (6, 384)
    assert torch.equal(features[1], kept)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(6))
    assert scores_of(inferencer(photos)).shape == (6, 6)


def test_labels_from_a_file_and_a_known_set(model, tmp_path):
    inferencer, _ = model()
    file = tmp_path / 'labels.txt'
    file.write_text('wine glass\nsnow\n')
    inferencer.set_labels(str(file))
    assert inferencer.classes == ['wine glass', 'snow']
    inferencer.set_labels('voc20')
    assert len(inferencer.classes) == 20
    with pytest.raises(ValueError, match='stands at indices'):
        inferencer.set_labels(['a', 'a'])


def vectors(tmp_path):
    file = tmp_path / 'vectors.txt'
    words = ('cat', 'dog', 'sea', 'traffic', 'light', 'wine', 'glass')
    rng = np.random.default_rng(0)
    rows = [' '.join(f'{x:.3f}' for x in rng.random(24)) for _ in words]
    file.write_text('\n'.join(f'{w} {row}' for w, row in zip(words, rows)) + '\n')
    return dict(type='WordVectors', file=str(file))


TIED = {
    'soft tokens for each label': (
        dict(
            prompter=dict(
                type='CrossModalityPrompter',
                text_encoder=ENCODER,
                init_words=None,
                shared=False,
            )
        ),
        'shared=False',
    ),
    'a bias for each label': (dict(bias='per_class'), "bias='per_class'.*zebra"),
    'a graph of a file': (
        dict(label_graph=dict(type='StaticLabelGraph', source='file', topk=3)),
        'made by SimilarityFile for 5 labels',
    ),
    'a graph of a checkpoint': (
        dict(label_graph={**GRAPH, 'source': None}),
        'made by no source',
    ),
    'features of a file': (
        dict(
            prompter=dict(type='FixedLabelFeatures', features=EYE),
            association=None,
            label_graph=None,
        ),
        'no features of the labels.*zebra',
    ),
    'trained features': (
        dict(
            prompter=dict(
                type='FixedLabelFeatures', text_encoder=MINILM, learnable=True
            ),
            association=None,
            label_graph=None,
        ),
        'learnable=True',
    ),
    'word vectors': (
        dict(
            prompter=dict(
                type='FixedLabelFeatures', text_encoder='vectors', templates='{}'
            )
        ),
        "'zebra' has no vector",
    ),
    'a name beyond the context': ({}, 'context holds 77'),
}


@pytest.mark.parametrize('name', TIED)
def test_what_is_tied_to_its_labels_says_so_and_stays_as_it_was(model, tmp_path, name):
    changes, message = TIED[name]
    changes = copy.deepcopy(changes)
    if changes.get('prompter', {}).get('text_encoder') == 'vectors':
        changes['prompter']['text_encoder'] = vectors(tmp_path)
    if changes.get('label_graph') and changes['label_graph']['source'] == 'file':
        np.save(tmp_path / 'a.npy', np.random.default_rng(0).random((5, 5)))
        source = dict(type='SimilarityFile', path=str(tmp_path / 'a.npy'))
        changes['label_graph']['source'] = source
    inferencer, photos = model(**changes)
    before = scores_of(inferencer(photos))
    names = ['snow ' * 90] if 'context' in name else ['zebra', 'cat']
    with pytest.raises(ValueError, match=message):
        inferencer.set_labels(names)
    assert inferencer.classes == CLASSES
    np.testing.assert_array_equal(scores_of(inferencer(photos)), before)


def test_a_linear_head_says_so(tmp_path):
    make_photos(tmp_path)
    files = save_model(make_config(tmp_path, linear_head()), tmp_path)
    inferencer = MultiLabelInferencer(*files)
    with pytest.raises(ValueError, match='weights for each of the 5 labels'):
        inferencer.set_labels(['zebra'])
    config = Config.fromfile(files[0])
    config.model.head = dict(
        type='MultiLabelLinearClsHead', num_classes=5, in_channels=24
    )
    with pytest.raises(ValueError, match='MultiLabelLinearClsHead has weights'):
        MultiLabelInferencer(config).set_labels(['zebra'])
