"""The best checkpoint is tested after training, whatever model is in front of it."""

import json

import numpy as np
import pytest
import torch

from mmscpnet.engine import TestBestHook
from mmscpnet.engine.averaged_model import named_state
from mmscpnet.utils.checkpoint import read_checkpoint

from .test_model_ema_hook import ema_cfg

# Scores of (average, plain) at each of three validations: the average of epoch 2 is
# the best, or the plain weights of epoch 1.
BEST_IS = dict(
    ema=[1.0, 0.5, 3.0, 2.0, 0.1, 0.2],
    plain=[1.0, 3.0, 2.0, 2.5, 0.1, 0.2],
)


class Spy(TestBestHook):
    """Keeps the weights that the test loop sees."""

    def before_test_epoch(self, runner):
        self.tested = {k: v.clone() for k, v in named_state(runner.model)}


def train(make_runner, front, **kwargs):
    runner = make_runner(
        scores=BEST_IS[front],
        epochs=3,
        hooks=[ema_cfg()],
        checkpoint=dict(save_best='toy/score', rule='greater'),
        **kwargs,
    )
    spy = Spy()
    runner.register_hook(spy)
    runner.train()
    return runner, spy


@pytest.mark.parametrize('resumed', [False, True])
@pytest.mark.parametrize('front', BEST_IS)
def test_best_model_is_tested(make_runner, front, resumed):
    """Also after ``--resume``, where loading once put the plain weights in front."""
    runner, spy = train(make_runner, front, resume=resumed)
    best = runner.message_hub.runtime_info['best_ckpt']
    saved = read_checkpoint(best)
    assert saved['meta']['state_dict_model'] == front
    for name, value in spy.tested.items():
        assert torch.equal(value, saved['state_dict'][name]), name


def test_nothing_after_a_plain_test(make_runner):
    runner = make_runner(hooks=[ema_cfg()])
    spy = Spy()
    runner.register_hook(spy)
    runner.test()
    runner.call_hook('after_run')
    assert not spy._trained


def test_report(tmp_path):
    """All four sets of weights, on a linear classifier that is trained by hand."""
    from mmengine.config import Config
    from mmengine.runner import Runner

    from tests.shrunken_configs import shrink

    name = 'baselines/linear-frozen_effnet-lite0_1xb128_corel5k74-spml-an.py'
    config: Config = shrink(name, tmp_path)
    config.train_cfg.max_epochs = 2
    config.resume = True
    config.default_hooks.test_best.report_dir = str(tmp_path / 'report')
    config.default_hooks.contact_sheet = dict(type='ContactSheetHook')
    runner = Runner.from_cfg(config)
    runner.train()
    sheets = (tmp_path / 'work_dir').glob('*/contact_sheet_*.png')
    names = sorted(path.name for path in sheets)
    assert names == ['contact_sheet_test.png', 'contact_sheet_val.png']
    report = json.loads((tmp_path / 'report' / 'test.json').read_text())
    with np.load(tmp_path / 'report' / 'test_scores.npz', allow_pickle=False) as file:
        scores, targets = file['scores'], file['targets']
        assert file['img_path'].shape == (10,) and file['classes'].shape == (74,)
    from mmscpnet.evaluation import MultiLabelMAP

    expected = MultiLabelMAP.calculate(scores, targets)['mAP']
    assert report['chosen']['multi-label/mAP'] == pytest.approx(expected, rel=1e-6)
    assert report[f'best_{report["best_model"]}'] == report['chosen']

    # Independently: each set of weights loaded from its file and tested.
    last = read_checkpoint(tmp_path / 'work_dir' / 'epoch_2.pth')
    best = runner.message_hub.runtime_info['best_ckpt']
    best = read_checkpoint(best)
    for when, checkpoint in dict(last=last, best=best).items():
        front = checkpoint['meta']['state_dict_model']
        other = {
            key.removeprefix('module.'): value
            for key, value in checkpoint['ema_state_dict'].items()
        }
        states = {front: checkpoint['state_dict']}
        states['plain' if front == 'ema' else 'ema'] = other
        for model, state in states.items():
            runner.model.load_state_dict(state, strict=False)
            found = runner.test()['multi-label/mAP']
            assert report[f'{when}_{model}']['multi-label/mAP'] == found
