"""What does not fit is refused before the first iteration."""

import pytest
from mmengine.config import ConfigDict
from mmengine.runner import Runner

from tests.shrunken_configs import shrink

NAME = 'baselines/linear_rn50_1xb128_coco14-spml-splc.py'


@pytest.fixture
def config(tmp_path):
    return shrink(NAME, tmp_path)


def refused(config, message, error=ValueError):
    runner = Runner.from_cfg(config)
    with pytest.raises(error, match=message):
        runner.train()
    assert runner.iter == 0


def test_other_class_names(config):
    names = list(config.train_dataloader.dataset.classes)
    names[3] = 'motorbike'
    config.val_dataloader.dataset.pop('classes')
    config.model.head.classes = names
    refused(
        config,
        r'train_dataloader.dataset and model.head.classes differ: label 3 is '
        r"'motorcycle', expected 'motorbike'",
    )


def test_other_number_of_classes(config):
    config.model.head.classes = ['cat', 'dog']
    refused(config, '80 labels found, 2 expected')


def test_missing_photos(config, tmp_path):
    for photo in (tmp_path / 'train2014').glob('[0-4].jpg'):
        photo.unlink()
    message = 'train_dataloader.dataset: 5 of 10 photos are missing'
    refused(config, message, FileNotFoundError)


def test_loss_that_does_not_understand_unknown_labels(config):
    config.model.head.loss = ConfigDict(type='CrossEntropyLoss', use_sigmoid=True)
    refused(config, r'CrossEntropyLoss, which does not understand unknown labels')


def test_such_a_loss_takes_full_labels(config):
    config.model.head.loss = ConfigDict(type='CrossEntropyLoss', use_sigmoid=True)
    config.train_dataloader.dataset.unlisted = 'negative'
    Runner.from_cfg(config).train()


def test_bank_of_a_moving_encoder(config):
    config.default_hooks.feature_bank = dict(type='FeatureBankHook')
    refused(config, 'FeatureBankHook needs model.frozen_backbone=True')
