"""CLIP's text tower against open_clip's own encode_text over the whole context."""

import copy
import json

import pytest
import torch
from open_clip.model import CustomTextCLIP
from open_clip.tokenizer import HFTokenizer
from transformers import BertConfig

from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.models.text_encoders.packed_prompts import can_pack
from mmscpnet.registry import MODELS
from tests.models.utils.clip_models import (
    VIT_KWARGS,
    build,
    encode_embeddings,
    kwargs,
    save,
    tokenize,
)

TEXTS = [
    'a photo of a dog.',
    'a photo of a dining table.',
    'a photo of a cat.',
    'x',
    '',
    'a photo of a very extraordinarily long-winded fire hydrant, in the rain!',
]


def load(model, path, name='ViT-B-16', **options):
    encoder = CLIPTextEncoder(name, pretrained=save(model, path / 'm.pt'), **options)
    encoder.init_weights()
    return encoder


CAUSAL = {
    'plain': ({}, False, False),
    'quick gelu': ({}, True, False),
    'short context': ({'context_length': 32}, False, False),
    'layer scale': ({'ls_init_value': 0.5}, False, False),
    'projection with bias': ({'proj_bias': True}, False, True),
    'custom text': ({}, False, True),
    'end token by id': ({'pool_type': 'eos', 'eos_id': 49407}, False, True),
    'one layer': ({'layers': 1}, False, False),
    'one head': ({'heads': 1}, False, False),
}
# Padding matters to these, or their blocks are others: full context.
PADDED = {
    'not causal, last': ({'no_causal_mask': True, 'pool_type': 'last'}, False, True),
    'not causal, argmax': ({'no_causal_mask': True}, False, True),
    'causal, last': ({'pool_type': 'last'}, False, True),
    'first': ({'pool_type': 'first', 'no_causal_mask': True}, False, True),
    'class token (CoCa)': ({'embed_cls': True, 'context_length': 32}, False, True),
    'other blocks': ({'qk_norm': True}, False, True),
    'other end': (
        {'pool_type': 'eos', 'eos_id': 49407, 'no_causal_mask': True},
        False,
        True,
    ),
}
ALL = [pytest.param(*v, True, id=k) for k, v in CAUSAL.items()] + [
    pytest.param(*v, False, id=k) for k, v in PADDED.items()
]


@pytest.mark.parametrize(('text', 'quick', 'custom', 'packed'), ALL)
def test_features_and_gradients_equal_the_full_context(
    text, quick, custom, packed, tmp_path
):
    cfg = kwargs(text=text)
    model = build(cfg, quick_gelu=quick, custom=custom)
    encoder = load(model, tmp_path, quick_gelu=quick, model_kwargs=cfg)
    assert encoder.packed is packed
    length = cfg['text_cfg']['context_length']
    ids = tokenize(TEXTS, length)
    tokens = [encoder.tokenize(text) for text in TEXTS]

    with torch.no_grad():
        expected = model.encode_text(ids)
    out = encoder.encode(TEXTS)
    assert out.shape == (len(TEXTS), encoder.embed_dims) and out.dtype == torch.float32
    assert not out.requires_grad
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)

    # Soft tokens: start token and three of them shared, then the text.
    torch.manual_seed(1)
    soft = torch.randn(3, encoder.width)
    weights = torch.randn(len(TEXTS), encoder.embed_dims)
    ends = [torch.tensor(t + encoder.suffix_ids) for t in tokens]
    start = encoder.embed(torch.tensor(encoder.prefix_ids))

    mine = soft.clone().requires_grad_()
    rests = [encoder.embed(e).clone().requires_grad_() for e in ends]
    z = encoder(torch.cat([start, mine]), rests)
    (z * weights).sum().backward()

    # The reference: all positions through open_clip's modules.
    direct = soft.clone().requires_grad_()
    full = torch.zeros(len(TEXTS), length, dtype=torch.long)
    for row, end in zip(full, ends):
        row[0] = encoder.prefix_ids[0]
        row[1:4] = 1
        row[4 : 4 + len(end)] = end
    table = (model.text if custom else model).token_embedding
    embedded = table(full).detach()
    embedded = torch.cat(
        [
            embedded[:, :1],
            direct.expand(len(TEXTS), -1, -1),
            embedded[:, 4:],
        ],
        dim=1,
    ).requires_grad_()
    embedded.retain_grad()
    if custom:
        handle = table.register_forward_hook(lambda *_: embedded)
        reference = model.text(full)
        handle.remove()
    else:
        reference = encode_embeddings(model, embedded, full)
    (reference * weights).sum().backward()

    torch.testing.assert_close(z, reference, rtol=0, atol=1e-5)
    # Over at most 1: the gradients of a random tower are large.
    largest = max(direct.grad.abs().max(), embedded.grad.abs().max())
    scale = max(1.0, largest.item())
    torch.testing.assert_close(mine.grad, direct.grad, rtol=0, atol=1e-5 * scale)
    assert direct.grad.abs().max() > 1e-3
    for rest, grad in zip(rests, embedded.grad):
        torch.testing.assert_close(
            rest.grad, grad[4 : 4 + len(rest)], rtol=0, atol=1e-5 * scale
        )


def test_every_prompt_length(tmp_path):
    """Suffixes of 1 ... context tokens at once, with and without a shared part."""
    cfg = kwargs(text={'context_length': 24})
    model = build(cfg)
    encoder = load(model, tmp_path, model_kwargs=cfg)
    torch.manual_seed(0)
    for shared in (0, 1, 5, 23):
        prefix = torch.randn(shared, encoder.width)
        lengths = torch.randperm(24 - shared) + 1
        suffixes = [torch.randn(n, encoder.width) for n in lengths.tolist()]
        ids = torch.zeros(len(lengths), 24, dtype=torch.long)
        full = torch.zeros(len(lengths), 24, encoder.width)
        for i, suffix in enumerate(suffixes):
            used = shared + len(suffix)
            full[i, :used] = torch.cat([prefix, suffix])
            full[i, used:] = torch.randn(24 - used, encoder.width)
            ids[i, used - 1] = 49407
        with torch.no_grad():
            expected = encode_embeddings(model, full, ids)
            out = encoder(prefix, suffixes)
        torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


def test_order_of_labels_is_kept():
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    out = encoder.encode(TEXTS)
    back = encoder.encode(TEXTS[::-1])
    torch.testing.assert_close(back.flip(0), out, rtol=0, atol=1e-6)


def test_only_positions_that_matter_are_computed():
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    rows = []
    for block in encoder.tower.transformer.resblocks:
        block.mlp.register_forward_hook(lambda m, i, o: rows.append(len(i[0])))
    suffixes = [torch.randn(n, encoder.width) for n in (3, 5, 3)]
    encoder(torch.randn(5, encoder.width), suffixes)
    assert rows == [5 + 11, 5 + 11, 3]


@pytest.mark.parametrize('batch_size', [1, 2, 100])
def test_encode_in_batches(batch_size):
    torch.manual_seed(0)
    encoder = CLIPTextEncoder(
        'RN50', pretrained=None, model_kwargs=VIT_KWARGS, batch_size=batch_size
    )
    whole = copy.deepcopy(encoder)
    whole.batch_size = 256
    torch.testing.assert_close(
        encoder.encode(TEXTS), whole.encode(TEXTS), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize('text', [{}, {'no_causal_mask': True, 'pool_type': 'last'}])
def test_too_long_names_the_label(text):
    cfg = kwargs(text={'context_length': 8, **text})
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=cfg)
    prefix = torch.randn(3, encoder.width)
    encoder(prefix, [torch.randn(5, encoder.width)])
    suffixes = [torch.randn(n, encoder.width) for n in (2, 6)]
    with pytest.raises(ValueError, match="'fire hydrant' has 9 tokens.*holds 8"):
        encoder(prefix, suffixes, ['cat', 'fire hydrant'])
    with pytest.raises(ValueError, match='number 1 has 9'):
        encoder(prefix, suffixes)
    with pytest.raises(ValueError, match="'one two .* has 9 tokens"):
        encoder.encode(['cat', 'one two three four five six seven'])
    with pytest.raises(ValueError, match='no prompts'):
        encoder(prefix, [])


def test_frozen_and_always_in_evaluation_mode():
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    assert not any(p.requires_grad for p in encoder.parameters())
    assert encoder.train() is encoder
    assert not any(module.training for module in encoder.modules())


def test_weights_load_once_and_from_checkpoints_too(tmp_path):
    model = build(VIT_KWARGS)
    encoder = load(model, tmp_path, model_kwargs=VIT_KWARGS)
    with torch.no_grad():
        encoder.tower.ln_final.weight.zero_()
    encoder.init_weights()
    assert encoder.tower.ln_final.weight.abs().sum() == 0

    # Weights that a checkpoint brought need no file.
    other = CLIPTextEncoder(
        'ViT-B-16', pretrained='/not/there.pt', model_kwargs=VIT_KWARGS
    )
    with pytest.raises(FileNotFoundError, match='not/there'):
        other.encode(['cat'])
    torch.nn.ModuleDict({'e': other}).load_state_dict(
        {'e.' + k: v for k, v in encoder.state_dict().items()}
    )
    torch.testing.assert_close(other.encode(TEXTS), encoder.encode(TEXTS))


def test_encode_loads_the_weights_by_itself(tmp_path):
    model = build(VIT_KWARGS)
    encoder = CLIPTextEncoder(
        'RN50', pretrained=save(model, tmp_path / 'm.pt'), model_kwargs=VIT_KWARGS
    )
    with torch.no_grad():
        expected = model.encode_text(tokenize(TEXTS))
    torch.testing.assert_close(encoder.encode(TEXTS), expected, rtol=0, atol=1e-5)


def test_other_context_length_resizes_the_position_embedding(tmp_path):
    model = build(VIT_KWARGS)
    encoder = load(model, tmp_path, model_kwargs=kwargs(text={'context_length': 32}))
    expected = torch.nn.functional.interpolate(
        model.positional_embedding.T[None], size=32, mode='linear'
    )[0].T
    torch.testing.assert_close(
        encoder.tower.positional_embedding, expected, check_stride=False
    )


def test_autocast_compile_and_half():
    torch.manual_seed(0)
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    prefix = torch.randn(5, encoder.width)
    suffixes = [torch.randn(n, encoder.width) for n in (3, 5, 3)]
    expected = encoder(prefix, suffixes)
    torch._dynamo.reset()
    compiled = torch.compile(encoder, backend='eager')
    torch.testing.assert_close(compiled(prefix, suffixes), expected)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = encoder(prefix, suffixes)
    assert (half.float() - expected).abs().max() < 0.05 * expected.abs().max()
    low = copy.deepcopy(encoder).bfloat16()
    out = low(prefix, suffixes)
    assert out.dtype == torch.bfloat16
    assert (out.float() - expected).abs().max() < 0.05 * expected.abs().max()


def test_registered_and_copied():
    encoder = MODELS.build(
        dict(
            type='CLIPTextEncoder',
            model='ViT-B-16',
            pretrained=None,
            model_kwargs=VIT_KWARGS,
        )
    )
    twin = copy.deepcopy(encoder)
    assert torch.equal(twin.encode(['cat']), encoder.encode(['cat']))
    with pytest.raises(TypeError, match='pretrained'):
        CLIPTextEncoder('RN50')


@pytest.mark.parametrize(
    'name', ['RN50', 'RN101', 'ViT-B-32', 'ViT-L-14', 'ViT-B-16-plus-240']
)
def test_clip_models_of_open_clip_are_packed(name):
    with torch.device('meta'):
        encoder = CLIPTextEncoder(name, pretrained=None)
    assert encoder.packed and encoder.context_length == 77
    assert encoder.prefix_ids == [49406] and encoder.suffix_ids == [49407]
    assert encoder.tokenize('a photo of a') == [320, 1125, 539, 320]


@pytest.mark.parametrize('name', ['ViT-B-16-SigLIP', 'coca_ViT-B-32', 'ViT-L-14-CLIPA'])
def test_other_models_are_not_packed(name):
    with torch.device('meta'):
        encoder = CLIPTextEncoder(name, pretrained=None)
    assert not encoder.packed and encoder.supports_prompts


@pytest.fixture(scope='module')
def bert(tmp_path_factory):
    """A tiny BERT with a tokenizer, in a folder."""
    folder = tmp_path_factory.mktemp('bert')
    words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'photo', 'of', 'dog']
    (folder / 'vocab.txt').write_text('\n'.join([*words, 'cat', '.', 'fire']))
    settings = {'tokenizer_class': 'BertTokenizer'}
    (folder / 'tokenizer_config.json').write_text(json.dumps(settings))
    BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        pad_token_id=0,
    ).save_pretrained(folder)
    return str(folder)


def hub_kwargs(folder, **text):
    text_cfg = {'hf_tokenizer_name': folder, 'context_length': 16, **text}
    return {**VIT_KWARGS, 'text_cfg': text_cfg}


@pytest.mark.parametrize('pooler', ['cls_pooler', 'mean_pooler'])
def test_transformers_tower(bert, pooler, tmp_path):
    cfg = hub_kwargs(
        bert,
        hf_model_name=bert,
        hf_model_pretrained=False,
        hf_proj_type='linear',
        hf_pooler_type=pooler,
    )
    torch.manual_seed(0)
    open_clip_cfg = copy.deepcopy(cfg)
    model = CustomTextCLIP(**open_clip_cfg).eval()
    path = save(model, tmp_path / 'm.pt')
    encoder = CLIPTextEncoder(
        'roberta-ViT-B-32', pretrained=path, quick_gelu=False, model_kwargs=cfg
    )
    encoder.init_weights()
    texts = ['a photo of a dog.', 'a cat']
    assert encoder.tokenize(texts[0]) == [5, 6, 7, 5, 8, 10]
    ids = HFTokenizer(bert, context_length=16)(texts)
    with torch.no_grad():
        expected = model.encode_text(ids)
    torch.testing.assert_close(encoder.encode(texts), expected, rtol=0, atol=1e-5)
    prefix = encoder.embed(torch.tensor(encoder.prefix_ids))
    rests = [
        encoder.embed(torch.tensor(encoder.tokenize(t) + encoder.suffix_ids))
        for t in texts
    ]
    prefix.requires_grad_()
    out = encoder(prefix, rests)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    out.square().sum().backward()
    assert prefix.grad.abs().sum() > 0


def test_tokenizer_that_strips_its_separator(bert):
    """CLIPA's towers: not causal, last position, separator replaced by 0."""
    cfg = hub_kwargs(
        bert,
        tokenizer_kwargs={'strip_sep_token': True},
        vocab_size=12,
        width=16,
        heads=2,
        layers=2,
        no_causal_mask=True,
        pool_type='last',
    )
    encoder = CLIPTextEncoder('ViT-L-14-CLIPA', pretrained=None, model_kwargs=cfg)
    texts = ['a photo of a dog.', 'a cat']
    ids = HFTokenizer(bert, context_length=16, strip_sep_token=True)(texts)
    with torch.no_grad():
        expected = encoder.tower(ids)
    torch.testing.assert_close(encoder.encode(texts), expected, rtol=0, atol=1e-6)
    prefix = encoder.embed(torch.tensor(encoder.prefix_ids))
    rests = [
        encoder.embed(torch.tensor(encoder.tokenize(t) + encoder.suffix_ids))
        for t in texts
    ]
    torch.testing.assert_close(encoder(prefix, rests), expected, rtol=0, atol=1e-6)


def test_what_must_be_downloaded_is_said(monkeypatch):
    from transformers import AutoTokenizer

    def offline(*_, **__):
        raise OSError('no network')

    monkeypatch.setattr(AutoTokenizer, 'from_pretrained', offline)
    with torch.device('meta'):
        encoder = CLIPTextEncoder('ViT-B-16-SigLIP', pretrained=None)
    with pytest.raises(FileNotFoundError, match='timm/ViT-B-16-SigLIP.*hf_tokenizer'):
        encoder.tokenize('cat')
    with pytest.raises(FileNotFoundError, match='no/such-model.*hf_model_name'):
        CLIPTextEncoder(
            'roberta-ViT-B-32',
            pretrained=None,
            model_kwargs={'text_cfg': {'hf_model_name': 'no/such-model'}},
        )


def test_tower_without_token_embeddings(monkeypatch):
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    encoder.supports_prompts = False
    with pytest.raises(ValueError, match='no token embeddings.*FixedLabelFeatures'):
        encoder(torch.zeros(1, 32), [torch.zeros(2, 32)])


def test_can_pack_knows_attention_that_differs():
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=VIT_KWARGS)
    assert can_pack(encoder.tower)
    encoder.tower.transformer.resblocks[1].attn.add_zero_attn = True
    assert not can_pack(encoder.tower)
    assert not can_pack(torch.nn.Linear(1, 1))
