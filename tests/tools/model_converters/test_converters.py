"""The converters, through the command line, with tiny towers."""

import copy

import open_clip
import pytest
import torch
from mmengine.config import Config
from open_clip.model import CLIP

from mmscpnet.apis.loading import build_model, read_weights
from mmscpnet.registry import MODELS
from tests.deployment.test_exported_model import CLASSES, MODELS_TO_EXPORT, build
from tests.models.utils import clip_models

TOWER = 'head.prompter.text_encoder.tower.'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'config.py'
    model = copy.deepcopy(MODELS_TO_EXPORT['clip'])
    model['head']['association'] = dict(
        num_layers=3, hidden_dims=16, activate_last=False, matrix='reweighted'
    )
    Config(dict(default_scope='mmscpnet', model=model)).dump(path)
    return path


def load(config, path):
    model = MODELS.build(Config.fromfile(config).model)
    state = torch.load(path, weights_only=True)['state_dict']
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    return model.eval(), missing


def released_state(clip, context, weights, graph_names=CLASSES):
    """As the released code names and stores its weights."""
    ids = clip_models.tokenize([f'a photo of a {name}.' for name in graph_names])
    embedded = clip.token_embedding(ids).detach()
    state = {f'image_encoder.{k}': v for k, v in clip.visual.state_dict().items()}
    for name, value in clip.state_dict().items():
        if name.startswith(('transformer.', 'ln_final.')) or name in (
            'positional_embedding',
            'text_projection',
        ):
            state[f'text_encoder.{name}'] = value
    state.update(
        {
            'prompt_learner.ctx': context,
            'prompt_learner.token_prefix': embedded[:, :1],
            'prompt_learner.token_middle': embedded[:, 1:5],
            'prompt_learner.token_suffix': embedded[:, 5:],
            'logit_scale': clip.logit_scale.detach(),
        }
    )
    state.update({f'gc{i + 1}.weight': w for i, w in enumerate(weights)})
    return state


def released_logits(clip, state, images, adjacency):
    """What the released model computes, written from its equations."""
    parts = [state[f'prompt_learner.token_{part}'] for part in ('prefix', 'suffix')]
    context = state['prompt_learner.ctx'].expand(len(CLASSES), -1, -1)
    prompts = torch.cat([parts[0], context, parts[1]], dim=1)
    ids = clip_models.tokenize([f'a photo of a {name}.' for name in CLASSES])
    labels = clip_models.encode_embeddings(clip, prompts, ids)
    hidden = labels
    for i in range(3):
        hidden = adjacency @ (hidden @ state[f'gc{i + 1}.weight'])
        if i < 2:
            hidden = torch.nn.functional.leaky_relu(hidden, 0.2)
    labels = labels + hidden
    labels = labels / labels.norm(dim=-1, keepdim=True)
    features = clip.visual(images)
    return 10 * features / features.norm(dim=-1, keepdim=True) @ labels.t()


@pytest.fixture
def released(tmp_path):
    clip = clip_models.build(clip_models.RESNET_KWARGS)
    torch.manual_seed(3)
    weights = [torch.randn(a, b) for a, b in ((24, 16), (16, 16), (16, 24))]
    state = released_state(clip, torch.randn(4, 32), weights)
    path = tmp_path / 'released.pth'
    torch.save({f'module.{k}': v for k, v in state.items()}, path)
    return clip, state, path


def test_released_checkpoint_computes_the_same(tool, config, released, tmp_path):
    clip, state, path = released
    out = tmp_path / 'new' / 'ours.pth'
    main = tool('model_converters/scpnet_release.py').main
    main([str(path), str(config), str(out)])
    model, missing = load(config, out)
    assert not missing
    graph = model.head.label_graph().reweighted
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = released_logits(clip, state, images, graph)
        found = model.head(model.extract_feat(images))
    assert expected.std() > 0.05
    assert torch.allclose(found, expected, atol=1e-4)
    with pytest.raises(ValueError, match='--overwrite'):
        main([str(path), str(config), str(out)])


def test_released_checkpoint_of_other_labels(tool, config, released, tmp_path):
    clip, state, path = released
    others = ['sea', 'cat', *CLASSES[2:]]
    weights = [state[f'gc{i}.weight'] for i in (1, 2, 3)]
    torch.save(released_state(clip, state['prompt_learner.ctx'], weights, others), path)
    run = tool('model_converters/scpnet_release.py').main
    with pytest.raises(ValueError, match='or their order, are not those'):
        run([str(path), str(config), str(tmp_path / 'ours.pth')])


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda s: s.pop('gc3.weight'), '1 missing: head.association.weights.2'),
        (lambda s: s.update(extra=torch.ones(1)), '1 not known here: extra'),
        (lambda s: s.pop('prompt_learner.token_suffix'), 'token_embedding.weight'),
    ],
)
def test_released_checkpoint_that_does_not_fit(
    tool, config, released, tmp_path, change, message
):
    _, state, path = released
    change(state)
    torch.save(state, path)
    out = tmp_path / 'ours.pth'
    with pytest.raises(ValueError, match=message):
        tool('model_converters/scpnet_release.py').main(
            [str(path), str(config), str(out)]
        )
    assert not out.exists()


def test_clip_there_and_back(tool, config, tmp_path):
    clip = clip_models.build(clip_models.RESNET_KWARGS)
    source = clip_models.save(clip, tmp_path / 'clip.pt')
    ours, back = tmp_path / 'ours.pth', tmp_path / 'back.pt'
    main = tool('model_converters/clip_weights.py').main
    main([source, str(config), str(ours)])
    model, missing = load(config, ours)
    assert all(name.startswith('head.') for name in missing)
    assert not any(name.startswith(TOWER) for name in missing)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(
            model.extract_feat(images)[-1], clip.encode_image(images), atol=1e-6
        )

    whole = dict(meta={}, state_dict=model.state_dict())
    torch.save(whole, tmp_path / 'trained.pth')
    main([str(tmp_path / 'trained.pth'), str(config), str(back), '--back'])
    again = CLIP(**copy.deepcopy(clip_models.RESNET_KWARGS))
    again.load_state_dict(torch.load(back, weights_only=True), strict=True)
    text = open_clip.tokenize(['a cat', 'two dogs at sea'])
    with torch.no_grad():
        assert torch.equal(again.eval().encode_text(text), clip.encode_text(text))
        assert torch.equal(again.encode_image(images), clip.encode_image(images))
    assert again.logit_scale.exp().item() == pytest.approx(10)


def test_clip_of_another_size(tool, config, tmp_path):
    other = clip_models.build(clip_models.kwargs(clip_models.RESNET, embed_dim=32))
    source = clip_models.save(other, tmp_path / 'clip.pt')
    with pytest.raises(ValueError, match='of another shape: backbone.visual.attnpool'):
        tool('model_converters/clip_weights.py').main(
            [source, str(config), str(tmp_path / 'ours.pth')]
        )


def test_publish(tool, tmp_path, capsys):
    model = build(
        dict(
            MODELS_TO_EXPORT['clip'],
            head=dict(
                MODELS_TO_EXPORT['clip']['head'], pessl=dict(hard_k=2, num_samples=50)
            ),
        )
    )
    stored = dict(
        meta=dict(epoch=3, seed=7, dataset_meta=dict(classes=CLASSES)),
        state_dict=model.state_dict(),
        optimizer=dict(state=torch.ones(1000)),
        ema_state_dict={'x': torch.ones(1000)},
        message_hub={},
    )
    torch.save(stored, tmp_path / 'best.pth')
    main = tool('model_converters/publish_model.py').main
    main([str(tmp_path / 'best.pth'), str(tmp_path / 'out' / 'cats.pth')])
    (path,) = (tmp_path / 'out').iterdir()
    assert path.name[:5] == 'cats-' and len(path.stem) == 13
    assert str(path) in capsys.readouterr().out
    content = torch.load(path, weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    assert content['meta'] == dict(epoch=3, dataset_meta=dict(classes=CLASSES))
    left_out = set(model.state_dict()) - set(content['state_dict'])
    assert left_out == {'head.pessl._extra_state'}

    config = Config(dict(model=MODELS_TO_EXPORT['clip']))
    again = build_model(config, read_weights(str(path)))
    value = again.state_dict()['head.prompter.context']
    assert torch.equal(value, model.state_dict()['head.prompter.context'])
    with pytest.raises(ValueError, match='exists already'):
        main([str(tmp_path / 'best.pth'), str(tmp_path / 'out' / 'cats.pth')])


def test_publish_something_else(tool, tmp_path):
    torch.save({'x': torch.ones(1)}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='not a checkpoint of a training run'):
        tool('model_converters/publish_model.py').main(
            [str(tmp_path / 'x.pth'), str(tmp_path / 'y.pth')]
        )
