"""Fixed label features: sources, templates, checkpoints without an encoder."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmscpnet.models.prompters import FixedLabelFeatures, encode_labels
from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.registry import MODELS
from tests.models.utils.clip_models import VIT_KWARGS, build, save, tokenize

CLASSES = ['dog', 'dining_table', 'cat']
TEXTS = ['dog', 'dining table', 'cat']


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    model = build(VIT_KWARGS)
    return model, save(model, tmp_path_factory.mktemp('clip') / 'm.pt')


def encoder_cfg(path):
    return dict(
        type='CLIPTextEncoder', model='RN50', pretrained=path, model_kwargs=VIT_KWARGS
    )


def expected_features(model, templates):
    rows = []
    with torch.no_grad():
        for template in templates:
            features = model.encode_text(tokenize([template.format(t) for t in TEXTS]))
            rows.append(features if len(templates) == 1 else F.normalize(features))
    return sum(rows) / len(rows)


@pytest.mark.parametrize('normalize', [True, False])
@pytest.mark.parametrize('templates', [['a photo of a {}.'], ['{}', 'a big {}.']])
def test_features_of_an_encoder(clip, templates, normalize):
    model, path = clip
    fixed = MODELS.build(
        dict(
            type='FixedLabelFeatures',
            classes=CLASSES,
            text_encoder=encoder_cfg(path),
            templates=templates,
            normalize=normalize,
        )
    )
    assert fixed.embed_dims == 24 and fixed.num_classes == 3
    fixed.init_weights()
    expected = expected_features(model, templates)
    if normalize:
        expected = F.normalize(expected)
    torch.testing.assert_close(fixed(), expected, rtol=0, atol=1e-5)


def test_encoder_is_dropped_and_a_checkpoint_needs_none(clip):
    fixed = FixedLabelFeatures(CLASSES, encoder_cfg(clip[1]))
    fixed.init_weights()
    assert list(fixed.state_dict()) == ['features']
    assert list(fixed.children()) == []
    other = FixedLabelFeatures(CLASSES, encoder_cfg('/not/there.pt'))
    with pytest.raises(FileNotFoundError, match='not/there'):
        copy.deepcopy(other).init_weights()
    other.load_state_dict(fixed.state_dict())
    other.init_weights()  # loaded: must not look for the file
    assert torch.equal(other(), fixed())


def test_construction_takes_no_memory_for_the_encoder(clip, monkeypatch):
    devices = []
    original = CLIPTextEncoder.__init__

    def spy(self, *args, **kwargs):
        original(self, *args, **kwargs)
        devices.append({p.device.type for p in self.parameters()})

    monkeypatch.setattr(CLIPTextEncoder, '__init__', spy)
    fixed = FixedLabelFeatures(CLASSES, encoder_cfg(clip[1]))
    assert devices == [{'meta'}]
    assert fixed.features.device.type == 'cpu'
    FixedLabelFeatures(CLASSES, encoder_cfg(clip[1]), embed_dims=24)
    assert len(devices) == 1


@pytest.mark.parametrize('source', ['tensor', 'array', 'list', '.npy', '.pt'])
@pytest.mark.parametrize('learnable', [False, True])
def test_given_features(source, learnable, tmp_path):
    values = torch.tensor([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]])
    given = {'tensor': values, 'array': values.numpy(), 'list': values.tolist()}
    np.save(tmp_path / 'f.npy', values.numpy().astype(np.float16))
    torch.save(values, tmp_path / 'f.pt')
    given.update({end: str(tmp_path / f'f{end}') for end in ('.npy', '.pt')})
    fixed = FixedLabelFeatures(CLASSES, features=given[source], learnable=learnable)
    fixed.init_weights()
    expected = torch.tensor([[0.6, 0.8], [0, 1], [1, 0]])
    torch.testing.assert_close(fixed().detach(), expected)
    assert [n for n, _ in fixed.named_parameters()] == ['features'] * learnable
    assert fixed().requires_grad is learnable
    assert torch.equal(copy.deepcopy(fixed)(), fixed())


def test_word_vectors(tmp_path):
    (tmp_path / 'v.txt').write_text('dog 1 2\ndining 0 2\ntable 2 0\ncat 5 0\n')
    vectors = dict(type='WordVectors', file=str(tmp_path / 'v.txt'))
    options = dict(text_encoder=vectors, templates='{}', normalize=False)
    fixed = FixedLabelFeatures(CLASSES, **options)
    fixed.init_weights()
    assert fixed().tolist() == [[1, 2], [1, 1], [5, 0]]


def test_init_weights_once():
    fixed = FixedLabelFeatures(CLASSES, features=torch.eye(3))
    fixed.init_weights()
    fixed.features.zero_()
    fixed.init_weights()
    assert fixed.features.abs().sum() == 0


def test_forgotten_init_is_said(caplog, monkeypatch):
    from mmscpnet.models.prompters import fixed_label_features

    said = []
    monkeypatch.setattr(
        fixed_label_features, 'print_log', lambda text, **_: said.append(text)
    )
    fixed = FixedLabelFeatures(CLASSES, features=torch.eye(3))
    fixed()
    fixed()
    assert len(said) == 1 and 'init_weights()' in said[0]
    fixed = FixedLabelFeatures(CLASSES, features=torch.eye(3))
    fixed.init_weights()
    fixed()
    assert len(said) == 1


def test_options_are_checked(tmp_path):
    def refuse(match, error=ValueError, **options):
        with pytest.raises(error, match=match):
            FixedLabelFeatures(**{'classes': CLASSES, **options})

    eye = torch.eye(3)
    refuse('one of the two')
    refuse('one of the two', features=eye, text_encoder={'type': 'WordVectors'})
    refuse("'cat' stands at", features=eye, classes=['cat', 'cat', 'a'])
    refuse('templates is empty', features=eye, templates=[])
    refuse("'a photo' has no {}", features=eye, templates=['{}', 'a photo'])
    refuse(r'\(3, D\).*found \(2, 3\)', features=eye[:2])
    refuse(r'found \(3,\)', features=eye[0])
    refuse('NaN or inf in row 1', features=eye / torch.tensor([[1], [0], [1]]))
    refuse('should hold a .C, D. array', features=object())
    refuse('gone.npy', FileNotFoundError, features=str(tmp_path / 'gone.npy'))
    (tmp_path / 'f.txt').write_text('1')
    refuse('.npy or .pt', features=str(tmp_path / 'f.txt'))
    fixed = FixedLabelFeatures(CLASSES, features=eye, embed_dims=4)
    with pytest.raises(ValueError, match='embed_dims is 4.*have 3'):
        fixed.init_weights()


def test_encode_labels_is_raw_with_one_template(clip):
    model, path = clip
    encoder = CLIPTextEncoder('RN50', pretrained=path, model_kwargs=VIT_KWARGS)
    out = encode_labels(encoder, CLASSES, 'a photo of a {}')
    expected = expected_features(model, ['a photo of a {}'])
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
