"""What the preprocessor accepts, and that it refuses the rest."""

import pytest
import torch
from mmpretrain.structures import DataSample

from mmscpnet.models.data_preprocessors import MultiViewDataPreprocessor

MEAN, STD = [1.0, 2.0, 3.0], [2.0, 4.0, 8.0]


def normalized(image):
    """Channel by channel, from BGR."""
    channels = [(image[..., 2 - c, :, :].float() - MEAN[c]) / STD[c] for c in range(3)]
    return torch.stack(channels, dim=-3)


def images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.fixture
def module():
    return MultiViewDataPreprocessor(MEAN, STD, to_rgb=True)


@pytest.mark.parametrize('size', [1, 3, 4])
@pytest.mark.parametrize('views', [1, 2, 3])
def test_every_form_of_a_batch(module, size, views):
    batch = images(views, size, 3, 5, 6)
    samples = [DataSample(metainfo=dict(img_path=f'{i}.jpg')) for i in range(size)]
    forms = [list(batch), [list(image) for image in batch.transpose(0, 1)]]
    for form in forms:
        found = module(dict(inputs=form, data_samples=samples))['inputs']
        assert len(found) == views
        for view, expected in zip(found, batch):
            assert torch.equal(view, normalized(expected))
    if views == 1:
        for form in (batch[0], list(batch[0])):
            found = module(dict(inputs=form, data_samples=samples))['inputs']
            assert torch.equal(found, normalized(batch[0]))


def test_features_stay_as_they_are(module):
    features = torch.randn(4, 7)
    assert torch.equal(module(dict(inputs=features))['inputs'], features)
    views = [features, features + 1]
    assert all(map(torch.equal, module(dict(inputs=views))['inputs'], views))
    assert torch.equal(module(dict(inputs=list(features)))['inputs'], features)


@pytest.mark.parametrize(
    'inputs, message',
    [
        ([images(3, 4, 4), images(3, 4, 5)], r'image 1 is \(3, 4, 5\) \(b.jpg\)'),
        ([images(2, 3, 4, 4), images(2, 3, 8, 8)], 'views of a batch differ in shape'),
        ([[images(3, 4, 4)], []], 'found a list of 2'),
        (images(3, 4, 4), r'found a tensor of shape \(3, 4, 4\)'),
        ([], 'found a list of 0'),
        ('photo', 'found str'),
        (images(2, 1, 4, 4), 'an image has 3 channels here, found 1'),
        ([images(3, 4, 4), images(2, 3, 4, 4)], 'inputs must be'),
    ],
)
def test_everything_else_is_refused(module, inputs, message):
    samples = [DataSample(metainfo=dict(img_path=f'{name}.jpg')) for name in 'ab']
    with pytest.raises(ValueError, match=message):
        module(dict(inputs=inputs, data_samples=samples))


def test_settings():
    with pytest.raises(ValueError, match='both mean and std'):
        MultiViewDataPreprocessor(mean=MEAN)
    with pytest.raises(ValueError, match=r'data_preprocessor.mean needs 3 values'):
        MultiViewDataPreprocessor([1.0], [1.0])
    plain = MultiViewDataPreprocessor()(dict(inputs=images(2, 3, 4, 4)))['inputs']
    assert plain.dtype == torch.float32 and plain.max() > 1
