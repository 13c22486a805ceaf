"""Reading CLIP weights: formats, one reading for two towers, messages."""

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from mmscpnet.models.backbones.open_clip_image_encoder import OpenCLIPImageEncoder
from mmscpnet.models.text_encoders import CLIPTextEncoder
from mmscpnet.models.utils import (
    load_open_clip_logit_scale,
    load_open_clip_state_dict,
    open_clip_config,
    open_clip_weights,
    release_open_clip_cache,
    take_tower_state_dict,
)
from tests.models.utils.clip_models import VIT_KWARGS, build, save


@pytest.fixture(autouse=True)
def no_cache():
    release_open_clip_cache()
    yield
    release_open_clip_cache()


@pytest.fixture
def readings(monkeypatch):
    """Paths that are read."""
    paths = []
    original = open_clip_weights.load_state_dict

    def counting(path, **options):
        paths.append(path)
        return original(path, **options)

    monkeypatch.setattr(open_clip_weights, 'load_state_dict', counting)
    return paths


def towers(path):
    options = dict(pretrained=path, model_kwargs=VIT_KWARGS)
    return (
        OpenCLIPImageEncoder('ViT-B-16', **options),
        CLIPTextEncoder('ViT-B-16', **options),
    )


def assert_loaded(image, text, model):
    state = model.state_dict()
    for key, value in image.visual.state_dict().items():
        assert torch.equal(value, state['visual.' + key]), key
    for key, value in text.tower.state_dict().items():
        assert torch.equal(value, state[key]), key


def as_plain(model, folder):
    return save(model, folder / 'a.pt')


def as_checkpoint(model, folder):
    state = {'module.' + k: v for k, v in model.state_dict().items()}
    torch.save({'epoch': 3, 'name': 'x', 'state_dict': state}, folder / 'c.pt')
    return str(folder / 'c.pt')


def as_safetensors(model, folder):
    save_file(model.state_dict(), folder / 'a.safetensors')
    return str(folder / 'a.safetensors')


def as_torchscript(model, folder):
    class Archive(torch.nn.Module):
        def forward(self, x: torch.Tensor):
            return x

    archive = Archive()
    for name, child in model.named_children():
        archive.add_module(name, child)
    for name, value in model._parameters.items():
        archive.register_parameter(name, value)
    # What OpenAI's archives hold beside the weights.
    for name in ('input_resolution', 'context_length', 'vocab_size'):
        archive.register_buffer(name, torch.tensor(7))
    traced = torch.jit.trace(archive, torch.zeros(1))
    traced.save(str(folder / 'jit.pt'))
    return str(folder / 'jit.pt')


def as_custom_text(model, folder):
    state = open_clip.model.convert_to_custom_text_state_dict(model.state_dict())
    torch.save(state, folder / 'custom.pt')
    return str(folder / 'custom.pt')


FORMATS = [as_plain, as_checkpoint, as_safetensors, as_torchscript, as_custom_text]


@pytest.mark.parametrize('write', FORMATS)
def test_every_format_gives_both_towers_the_weights(write, tmp_path):
    model = build(VIT_KWARGS)
    image, text = towers(write(model, tmp_path))
    image.init_weights()
    text.init_weights()
    assert_loaded(image, text, model)


@pytest.mark.parametrize('first', [0, 1])
def test_one_reading_serves_both_towers(first, tmp_path, readings):
    model = build(VIT_KWARGS)
    path = as_plain(model, tmp_path)
    pair = towers(path)
    pair[first].init_weights()
    pair[1 - first].init_weights()
    assert_loaded(*pair, model)
    assert readings == [path]
    # The scale is there without a third reading, the weights are let go.
    assert load_open_clip_logit_scale('ViT-B-16', path) == model.logit_scale
    assert readings == [path]
    held = [v.numel() for s in open_clip_weights._cache.values() for v in s.values()]
    assert sum(held) < 10


def test_scale_first_leaves_the_weights_for_the_towers(tmp_path, readings):
    path = as_plain(build(VIT_KWARGS), tmp_path)
    load_open_clip_logit_scale('ViT-B-16', path)
    for tower in towers(path):
        tower.init_weights()
    assert readings == [path]


def test_same_tower_twice_reads_twice(tmp_path, readings):
    path = as_plain(build(VIT_KWARGS), tmp_path)
    first = take_tower_state_dict('ViT-B-16', path, 'visual')
    second = take_tower_state_dict('ViT-B-16', path, 'visual')
    assert len(readings) == 2
    assert first.keys() == second.keys()


def test_a_file_written_anew_is_read_anew(tmp_path):
    path = as_plain(build(VIT_KWARGS, seed=0), tmp_path)
    take_tower_state_dict('ViT-B-16', path, 'visual')
    model = build(VIT_KWARGS, seed=1)
    # One more entry, so that the size differs even if the clock is coarse.
    torch.save({**model.state_dict(), 'extra': torch.zeros(9)}, path)
    text = take_tower_state_dict('ViT-B-16', path, 'text')
    assert torch.equal(text['positional_embedding'], model.positional_embedding)


def test_whole_state_dict_has_the_keys_of_the_class(tmp_path):
    model = build(VIT_KWARGS)
    for write in (as_plain, as_custom_text):
        state = load_open_clip_state_dict('RN50', write(model, tmp_path))
        assert state.keys() == model.state_dict().keys()
    state = load_open_clip_state_dict('ViT-B-16-SigLIP', as_plain(model, tmp_path))
    assert 'text.positional_embedding' in state


def test_half_precision_weights_become_float32(tmp_path):
    model = build(VIT_KWARGS).half()
    image, _ = towers(as_plain(model, tmp_path))
    image.init_weights()
    assert image.visual.proj.dtype == torch.float32
    assert torch.equal(image.visual.proj, model.visual.proj.float())


def test_unknown_tag_lists_the_tags():
    with pytest.raises(ValueError, match="(?s)'nonsense'.*RN50.*openai.*yfcc15m.*file"):
        load_open_clip_state_dict('RN50', 'nonsense')


def test_missing_file_is_named(tmp_path):
    path = tmp_path / 'gone.pt'
    with pytest.raises(FileNotFoundError, match='gone.pt.*openai'):
        load_open_clip_state_dict('RN50', str(path))


def test_no_network_tells_how_to_give_a_file(monkeypatch):
    def fail(config):
        raise OSError('no route to host')

    monkeypatch.setattr(open_clip, 'download_pretrained', fail)
    with pytest.raises(FileNotFoundError) as error:
        OpenCLIPImageEncoder('RN50', pretrained='openai').init_weights()
    for part in ("'openai'", "'RN50'", 'no route', "pretrained='/path/to/file'"):
        assert part in str(error.value)


def test_building_does_not_look_for_weights(monkeypatch):
    def fail(*_):
        raise AssertionError('weights were looked for')

    monkeypatch.setattr(open_clip, 'download_pretrained', fail)
    towers('openai')
    towers('/not/there.pt')


@pytest.mark.parametrize(
    'content', [b'not weights', b''], ids=['other content', 'empty']
)
def test_broken_file_is_named(content, tmp_path):
    (tmp_path / 'b.pt').write_bytes(content)
    with pytest.raises(ValueError, match='b.pt'):
        load_open_clip_state_dict('RN50', str(tmp_path / 'b.pt'))


def test_file_of_something_else(tmp_path):
    torch.save({'state_dict': {'a': 1}}, tmp_path / 's.pt')
    with pytest.raises(ValueError, match='s.pt.*state dict'):
        load_open_clip_state_dict('RN50', str(tmp_path / 's.pt'))
    torch.save({'backbone.w': torch.zeros(2)}, tmp_path / 'o.pt')
    image, text = towers(str(tmp_path / 'o.pt'))
    with pytest.raises(ValueError, match='no weights of the visual tower.*backbone.w'):
        image.init_weights()
    with pytest.raises(ValueError, match='no weights of the text tower'):
        text.init_weights()


def test_mismatch_lists_keys(tmp_path):
    state = build(VIT_KWARGS).state_dict()
    del state['visual.ln_pre.bias']
    state['visual.surplus'] = torch.zeros(2)
    state['visual.proj'] = torch.zeros(5, 5)
    torch.save(state, tmp_path / 'm.pt')
    image, _ = towers(str(tmp_path / 'm.pt'))
    with pytest.raises(ValueError) as error:
        image.init_weights()
    message = str(error.value)
    assert '1 missing in the file: ln_pre.bias' in message
    assert '1 unexpected in the file: surplus' in message
    assert 'proj (file (5, 5), model (32, 24))' in message


@pytest.mark.parametrize(
    ('model', 'pretrained', 'option', 'expected'),
    [
        ('RN50', 'openai', None, True),
        ('RN50-quickgelu', 'openai', None, True),
        ('ViT-B-16', 'laion2b_s34b_b88k', None, False),
        ('ViT-B-16', None, None, False),
        ('ViT-B-16', 'some/file.pt', None, False),
        ('ViT-B-16', 'some/file.pt', True, True),
        ('ViT-B-16-quickgelu', 'some/file.pt', None, True),
        ('ViT-B/16', 'openai', None, True),
    ],
)
def test_quick_gelu_follows_what_is_known(model, pretrained, option, expected):
    config = open_clip_config(model, pretrained, option)
    assert config['quick_gelu'] is expected


@pytest.mark.parametrize(
    ('pretrained', 'option'), [('openai', False), ('laion2b_s34b_b88k', True)]
)
def test_quick_gelu_against_the_tag_is_refused(pretrained, option):
    with pytest.raises(ValueError, match=f'quick_gelu={option}.*{pretrained}'):
        open_clip_config('ViT-B-16', pretrained, option)


def test_quick_gelu_reaches_both_towers():
    for quick in (True, False):
        options = dict(pretrained=None, model_kwargs=VIT_KWARGS, quick_gelu=quick)
        image = OpenCLIPImageEncoder('ViT-B-16', **options).visual
        text = CLIPTextEncoder('ViT-B-16', **options).tower
        for tower in (image, text):
            activation = tower.transformer.resblocks[0].mlp.gelu
            assert (type(activation).__name__ == 'QuickGELU') is quick


def test_config_errors():
    with pytest.raises(ValueError, match="no model 'RN5'.*RN50"):
        open_clip_config('RN5', None)
    with pytest.raises(ValueError, match='hf-hub.*local-dir'):
        open_clip_config('hf-hub:a/b', None)
    with pytest.raises(ValueError, match="'text_cgf'"):
        open_clip_config('RN50', None, model_kwargs={'text_cgf': {}})
    with pytest.raises(ValueError, match='text_cfg.*must be a dict'):
        open_clip_config('RN50', None, model_kwargs={'text_cfg': 3})
    with pytest.raises(ValueError, match='vision_cfg.*nonsense'):
        OpenCLIPImageEncoder(
            'RN50', pretrained=None, model_kwargs={'vision_cfg': {'nonsense': 1}}
        )
