import pytest
import torch

from mmscpnet.models.converters import check_complete, from_clip, from_released, to_clip
from mmscpnet.models.converters.released_scpnet import TABLE, token_table

MODEL = {'a.weight': torch.zeros(2, 3), 'a.bias': torch.zeros(2)}


def test_complete():
    check_complete(dict(MODEL), MODEL, [], 'x.pth')
    counts = {**MODEL, 'bn.num_batches_tracked': torch.tensor(0)}
    check_complete(dict(MODEL), counts, [], 'x.pth')
    check_complete({'a.weight': MODEL['a.weight']}, MODEL, [], 'x.pth', ['a.bias'])


@pytest.mark.parametrize(
    'change, message',
    [
        ({'a.bias': None}, r'x.pth does not fit .* 1 missing: a.bias'),
        ({'b': torch.zeros(1)}, r'1 not known here: b'),
        ({'a.bias': torch.zeros(3)}, r'1 of another shape: a.bias \(\(3,\) in the fil'),
    ],
)
def test_incomplete(change, message):
    state = {k: v for k, v in {**MODEL, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        check_complete(state, MODEL, [], 'x.pth')


def test_names_that_were_not_understood():
    with pytest.raises(ValueError, match='9 not known here: n0, .*n7, ...'):
        check_complete(MODEL, MODEL, [f'n{i}' for i in range(9)], 'x.pth')


def test_a_tower_that_the_model_lacks_is_left_out():
    state = {'visual.x': torch.ones(1), 'text.y': torch.ones(1), 'odd': torch.ones(1)}
    converted, unknown = from_clip(state, {'backbone.visual.x': torch.ones(1)})
    assert set(converted) == {'backbone.visual.x'} and unknown == {'odd'}


def test_back_needs_both_towers():
    with pytest.raises(ValueError, match='head.prompter.text_encoder.tower'):
        to_clip({'backbone.visual.x': torch.ones(1)})


def test_token_table():
    """Three prompts of four tokens; token 7 is the padding."""
    ids = [[1, 2, 3, 7], [1, 2, 4, 7], [1, 5, 7, 7]]
    rows = torch.randn(9, 6)
    table = token_table(rows[torch.tensor(ids)], ids, 9)
    used = [1, 2, 3, 4, 5, 7]
    assert torch.equal(table[used], rows[used])
    assert not table[[0, 6, 8]].any()
    # With the last two names exchanged, token 7 would stand for a word.
    exchanged = [ids[0], ids[2], ids[1]]
    with pytest.raises(ValueError, match='of 3 prompts .* or their order'):
        token_table(rows[torch.tensor(ids)], exchanged, 9)
    with pytest.raises(ValueError, match='3 prompts of 4 tokens, .* 2 classes with 4'):
        token_table(rows[torch.tensor(ids)], ids[:2], 9)


def test_released_names():
    state = {
        'module.gc2.weight': torch.ones(2, 2),
        'module.logit_scale': torch.tensor(4.6),
        'module.prompt_learner.ctx': torch.ones(4, 6),
        'module.image_encoder.conv1.weight': torch.ones(1),
        'module.classifier.weight': torch.ones(1),
    }
    converted, unknown = from_released(state, [], 9, learns_scale=False)
    assert unknown == {'classifier.weight'}
    assert set(converted) == {
        'head.association.weights.1',
        'head.prompter.context',
        'backbone.visual.conv1.weight',
    }
    assert converted['head.prompter.context'].shape == (1, 1, 4, 6)
    converted, _ = from_released(state, [], 9, learns_scale=True)
    assert converted['head.log_scale'] == torch.tensor(4.6)
    assert TABLE not in converted
