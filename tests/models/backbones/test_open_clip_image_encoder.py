"""The image tower against open_clip's, called directly."""

import copy

import pytest
import torch
import torch.nn.functional as F
from open_clip.model import resize_pos_embed
from torch.nn.modules.batchnorm import _BatchNorm

from mmscpnet.models.backbones.open_clip_image_encoder import OpenCLIPImageEncoder
from mmscpnet.models.utils import resize_position_embedding
from mmscpnet.registry import MODELS
from tests.models.utils.clip_models import (
    RESNET_KWARGS,
    VIT,
    VIT_KWARGS,
    build,
    kwargs,
    save,
)

KWARGS = {'vit': VIT_KWARGS, 'resnet': RESNET_KWARGS}
SIZE = {'vit': 32, 'resnet': 64}
TIMM_KWARGS = {
    'embed_dim': 24,
    'vision_cfg': {
        'timm_model_name': 'vit_tiny_patch16_224',
        'timm_pool': 'token',
        'timm_proj': 'linear',
        'image_size': 224,
    },
}


def make(kind, pretrained=None, **options):
    return MODELS.build(
        dict(
            type='OpenCLIPImageEncoder',
            model='ViT-B-32' if kind == 'vit' else 'RN50',
            pretrained=pretrained,
            model_kwargs=KWARGS[kind],
            **options,
        )
    )


def images(kind, n=2, size=None):
    size = size or SIZE[kind]
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(3))


@pytest.fixture(params=['vit', 'resnet'])
def kind(request):
    return request.param


@pytest.mark.parametrize('quick_gelu', [False, True])
def test_equals_open_clip(kind, quick_gelu, tmp_path):
    model = build(KWARGS[kind], quick_gelu=quick_gelu)
    encoder = make(kind, save(model, tmp_path / 'm.pt'), quick_gelu=quick_gelu)
    encoder.init_weights()
    encoder.eval()
    with torch.no_grad():
        out = encoder(images(kind))
        expected = model.encode_image(images(kind))
    assert isinstance(out, tuple) and len(out) == 1
    torch.testing.assert_close(out[0], expected, rtol=0, atol=1e-6)
    assert out[0].shape == (2, encoder.embed_dims) == (2, 24)


def test_only_the_visual_half_is_kept(kind):
    encoder = make(kind)
    assert {name.split('.')[0] for name in encoder.state_dict()} == {'visual'}


def test_weights_come_with_init_weights_once(kind, tmp_path):
    model = build(KWARGS[kind])
    path = save(model, tmp_path / 'm.pt')
    encoder = make(kind, path)
    before = copy.deepcopy(encoder.state_dict())
    assert not torch.equal(before['visual.conv1.weight'], model.visual.conv1.weight)
    encoder.init_weights()
    with torch.no_grad():
        encoder.visual.conv1.weight.zero_()
    encoder.init_weights()
    assert encoder.visual.conv1.weight.abs().sum() == 0


def test_pretrained_has_no_default():
    with pytest.raises(TypeError, match='pretrained'):
        OpenCLIPImageEncoder('RN50')


def test_featmap_of_a_resnet_is_what_the_pooling_gets():
    encoder = make('resnet', out_type='featmap').eval()
    x = images('resnet')
    (out,) = encoder(x)
    assert out.shape == (2, encoder.embed_dims, 2, 2) == (2, 256, 2, 2)
    pooled = encoder.visual.attnpool(out)
    torch.testing.assert_close(pooled, encoder.visual(x))
    # Without pooling there is no position embedding that would fix the size.
    assert encoder(images('resnet', size=96))[0].shape[-2:] == (3, 3)


def test_featmap_of_a_vit_is_its_patch_tokens():
    encoder = make('vit', out_type='featmap').eval()
    x = images('vit')
    (out,) = encoder(x)
    assert out.shape == (2, encoder.embed_dims, 4, 4) == (2, 32, 4, 4)
    visual = encoder.visual
    visual.output_tokens = True
    _, tokens = visual(x)
    torch.testing.assert_close(out.flatten(2).transpose(1, 2), tokens)


@pytest.mark.parametrize('out_type', ['pooled', 'featmap'])
def test_every_trainable_parameter_gets_a_gradient(kind, out_type):
    encoder = make(kind, out_type=out_type)
    encoder(images(kind))[0].square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
    assert any(parameter.requires_grad for parameter in encoder.parameters())


@pytest.mark.parametrize('img_size', [64, (32, 64), (96, 32)])
def test_other_image_size_equals_open_clip(img_size, tmp_path):
    """ViT: open_clip builds and resizes by itself; compare with that."""
    model = build(VIT_KWARGS)
    encoder = make('vit', save(model, tmp_path / 'm.pt'), img_size=img_size)
    encoder.init_weights()
    other = build(kwargs({**VIT, 'image_size': img_size}))
    state = model.state_dict()
    resize_pos_embed(state, other)
    other.load_state_dict(state)
    x = torch.randn(2, 3, *encoder.img_size)
    torch.testing.assert_close(encoder.eval()(x)[0], other.encode_image(x))


def expected_embedding(old, grid):
    side = int((len(old) - 1) ** 0.5)
    image = old[1:].T.reshape(1, -1, side, side)
    image = F.interpolate(image, grid, mode='bicubic', antialias=True)
    return torch.cat([old[:1], image.flatten(2)[0].T])


@pytest.mark.parametrize('img_size', [96, (64, 128), (32, 96)])
def test_other_image_size_of_a_resnet(img_size, tmp_path):
    model = build(RESNET_KWARGS)
    encoder = make('resnet', save(model, tmp_path / 'm.pt'), img_size=img_size)
    encoder.init_weights()
    grid = tuple(side // 32 for side in encoder.img_size)
    expected = expected_embedding(
        model.visual.attnpool.positional_embedding.detach(), grid
    )
    own = encoder.visual.attnpool.positional_embedding
    torch.testing.assert_close(own, expected, check_stride=False)
    assert encoder.eval()(torch.randn(2, 3, *encoder.img_size))[0].shape == (2, 24)


def test_own_image_size_changes_nothing(kind, tmp_path):
    path = save(build(KWARGS[kind]), tmp_path / 'm.pt')
    plain, named = make(kind, path), make(kind, path, img_size=SIZE[kind])
    for encoder in (plain, named):
        encoder.init_weights()
        encoder.eval()
    assert plain.img_size == named.img_size == (SIZE[kind], SIZE[kind])
    assert torch.equal(plain(images(kind))[0], named(images(kind))[0])


def test_checkpoint_of_another_image_size_is_resized(kind, caplog):
    small, large = make(kind), make(kind, img_size=SIZE[kind] * 2)
    holder = torch.nn.ModuleDict({'backbone': large})
    state = {'backbone.' + k: v for k, v in small.state_dict().items()}
    given = dict(state)
    holder.load_state_dict(state)
    key = 'positional_embedding' if kind == 'vit' else 'attnpool.positional_embedding'
    own = large.visual.get_parameter(key)
    old = small.visual.get_parameter(key).detach()
    torch.testing.assert_close(
        own, expected_embedding(old, large.grid_size), check_stride=False
    )
    # The caller's dict is left alone.
    assert all(given[k] is v for k, v in state.items())


def test_resize_keeps_dtype_and_refuses_what_has_no_sides():
    assert resize_position_embedding(torch.randn(5, 4).half(), (3, 3)).dtype == (
        torch.float16
    )
    with pytest.raises(ValueError, match='7 rows'):
        resize_position_embedding(torch.randn(7, 4), (3, 3))


def test_wrong_input_size_names_img_size(kind):
    with pytest.raises(ValueError, match='input is 96x96.*img_size='):
        make(kind)(images(kind, size=96))


@pytest.mark.parametrize('img_size', [50, (64, 70)])
def test_size_that_does_not_divide(kind, img_size):
    with pytest.raises(ValueError, match='img_size=.*multiple of'):
        make(kind, img_size=img_size)


def train_once(encoder, x):
    before = copy.deepcopy(encoder.state_dict())
    encoder.train()
    parameters = [p for p in encoder.parameters() if p.requires_grad]
    if parameters:
        optimizer = torch.optim.SGD(parameters, lr=1.0)
        encoder(x)[0].square().sum().backward()
        optimizer.step()
    else:
        encoder(x)
    after = encoder.state_dict()
    return {k[len('visual.') :] for k in after if not torch.equal(after[k], before[k])}


RESNET_STAGES = [
    ('conv1', 'conv2', 'conv3', 'bn1', 'bn2', 'bn3'),
    ('layer1',),
    ('layer2',),
    ('layer3',),
    ('layer4',),
]
VIT_STAGES = [
    ('conv1', 'class_embedding', 'positional_embedding', 'ln_pre'),
    ('transformer.resblocks.0',),
    ('transformer.resblocks.1',),
    ('transformer.resblocks.2',),
]


def in_stage(key, stage):
    return any(key == part or key.startswith(part + '.') for part in stage)


@pytest.mark.parametrize('frozen_stages', [-1, 0, 1, 2, 3, 4])
def test_frozen_stages_stay_and_the_others_move(kind, frozen_stages):
    """Parameters, and of batch norm the statistics too."""
    stages = RESNET_STAGES if kind == 'resnet' else VIT_STAGES
    if frozen_stages >= len(stages):
        pytest.skip('the tiny ViT has three blocks')
    torch.manual_seed(0)
    changed = train_once(make(kind, frozen_stages=frozen_stages), images(kind, 4))
    for index, stage in enumerate(stages):
        moved = {key for key in changed if in_stage(key, stage)}
        assert bool(moved) == (index > frozen_stages), (stage, moved)


def test_frozen_moves_nothing(kind):
    encoder = make(kind, frozen=True)
    assert train_once(encoder, images(kind)) == set()
    assert not any(p.requires_grad for p in encoder.parameters())
    assert not encoder.visual.training


def test_norm_eval_keeps_statistics_and_trains_weights():
    changed = train_once(make('resnet', norm_eval=True), images('resnet', 4))
    assert not any('running' in key or 'tracked' in key for key in changed)
    assert 'bn1.weight' in changed
    encoder = make('resnet', norm_eval=True).train()
    assert encoder.training
    norms = [m for m in encoder.modules() if isinstance(m, _BatchNorm)]
    assert norms and not any(norm.training for norm in norms)


def test_train_and_eval_return_the_module(kind):
    encoder = make(kind)
    assert encoder.eval() is encoder and not encoder.training
    assert encoder.train() is encoder and encoder.training


def test_checkpointing_changes_nothing_but_memory(kind):
    results = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        encoder = make(kind, with_cp=with_cp).train()
        (out,) = encoder(images(kind, 4))
        out.square().sum().backward()
        grads = {n: p.grad for n, p in encoder.named_parameters()}
        results.append((out, grads, encoder.state_dict()))
    (out, grads, state), (out_cp, grads_cp, state_cp) = results
    torch.testing.assert_close(out, out_cp)
    torch.testing.assert_close(grads, grads_cp)
    # Running statistics too: the second pass must not count.
    torch.testing.assert_close(state, state_cp)


def test_checkpointing_recomputes(kind):
    encoder = make(kind, with_cp=True).train()
    visual = encoder.visual
    block = visual.layer2[0] if kind == 'resnet' else visual.transformer.resblocks[1]
    calls = []
    block.register_forward_pre_hook(lambda *_: calls.append(1))
    (out,) = encoder(images(kind))
    assert len(calls) == 1
    out.sum().backward()
    assert len(calls) == 2


def test_checkpointing_under_compile(kind):
    encoder = make(kind, with_cp=True, norm_eval=True).train()
    (expected,) = encoder(images(kind))
    torch._dynamo.reset()
    (out,) = torch.compile(encoder, backend='eager')(images(kind))
    out.sum().backward()
    torch.testing.assert_close(out, expected)
    assert encoder.visual.conv1.weight.grad.abs().sum() > 0


def test_deepcopy_and_state_dict_round_trip(kind):
    encoder = make(kind).eval()
    twin = copy.deepcopy(encoder)
    other = make(kind).eval()
    other.load_state_dict(encoder.state_dict())
    out = encoder(images(kind))[0]
    assert torch.equal(twin(images(kind))[0], out)
    assert torch.equal(other(images(kind))[0], out)


@pytest.mark.parametrize('out_type', ['pooled', 'featmap'])
def test_autocast_and_compile(kind, out_type):
    encoder = make(kind, out_type=out_type).eval()
    x = images(kind)
    (expected,) = encoder(x)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        (half,) = encoder(x)
    scale = expected.abs().max()
    assert (half.float() - expected).abs().max() < 0.05 * scale
    torch._dynamo.reset()
    compiled = torch.compile(encoder, backend='eager')
    torch.testing.assert_close(compiled(x)[0], expected)


@pytest.mark.parametrize('img_size', [None, 64])
def test_timm_tower(img_size, tmp_path):
    options = dict(model='ViT-B-16-SigLIP', model_kwargs=TIMM_KWARGS)
    source = OpenCLIPImageEncoder(pretrained=None, **options)
    state = {'visual.' + k: v for k, v in source.visual.state_dict().items()}
    torch.save({**state, 'text.x': torch.zeros(1)}, tmp_path / 'm.pt')
    encoder = OpenCLIPImageEncoder(
        pretrained=str(tmp_path / 'm.pt'), img_size=img_size, **options
    )
    encoder.init_weights()
    side = img_size or 224
    x = torch.randn(1, 3, side, side)
    (out,) = encoder.eval()(x)
    assert out.shape == (1, 24)
    # timm's own resizing, after loading, is the reference.
    if img_size:
        source.visual.set_input_size(img_size)
    torch.testing.assert_close(out, source.visual.eval()(x), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match='frozen_stages=1.*timm'):
        OpenCLIPImageEncoder(pretrained=None, frozen_stages=1, **options)


def test_options_are_checked(kind):
    with pytest.raises(ValueError, match='out_type'):
        make(kind, out_type='tokens')
    for stage in (-2, 5):
        with pytest.raises(ValueError, match='frozen_stages must be in -1'):
            make(kind, frozen_stages=stage)


def test_init_cfg_comes_last(tmp_path):
    model = build(VIT_KWARGS)
    torch.save({'state_dict': make('vit').state_dict()}, tmp_path / 'c.pth')
    encoder = make(
        'vit',
        save(model, tmp_path / 'm.pt'),
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'c.pth')),
    )
    encoder.init_weights()
    saved = torch.load(tmp_path / 'c.pth', weights_only=True)['state_dict']
    assert torch.equal(encoder.visual.proj, saved['visual.proj'])
