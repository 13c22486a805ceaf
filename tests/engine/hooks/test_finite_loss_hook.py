"""A loss that is not a number: training stops, or leaves out the step."""

import math

import pytest
import torch
from mmengine.hooks import Hook

from mmscpnet.utils.checkpoint import damage

BAD = 5  # iteration, 0-based, in the second of two epochs with four iterations


class Spoil(Hook):
    """Makes the input of an iteration (or of all from it on) infinite."""

    def __init__(self, at=BAD, on=False):
        self.at, self.on = at, on

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at or (self.on and runner.iter > self.at):
            data_batch['x'][1] = math.inf


class Look(Hook):
    """States before and after each iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.states = []

    def before_train(self, runner):
        self.take(runner)

    def after_train_iter(self, runner, *args, **kwargs):
        self.take(runner)

    def take(self, runner):
        ema = next(h for h in runner.hooks if type(h).__name__ == 'ModelEMAHook')
        state = {f'plain.{k}': v for k, v in runner.model.state_dict().items()}
        for key, value in ema.ema_model.state_dict().items():
            state[f'ema.{key}'] = value
        momentum = runner.optim_wrapper.optimizer.state.values()
        for i, entry in enumerate(momentum):
            state[f'momentum.{i}'] = entry['momentum_buffer']
        self.states.append({k: v.clone() for k, v in state.items()})


def make(make_runner, spoil, look=None, **options):
    hooks = [spoil, dict(type='ModelEMAHook', monitor='toy/score', decay=0.9)]
    hooks += [dict(type='FiniteLossHook', **options)]
    return make_runner(
        epochs=4,
        hooks=hooks + ([look] if look else []),
        checkpoint=dict(by_epoch=False, interval=1, max_keep_ckpts=1),
    )


def test_stops_and_keeps_the_last_checkpoint(make_runner, tmp_path):
    runner = make(make_runner, Spoil())
    message = r'^loss is nan in epoch 3, iteration 6, images .*--resume.*action=skip'
    with pytest.raises(FloatingPointError, match=message):
        runner.train()
    (path,) = (tmp_path / 'work').glob('iter_*.pth')
    assert path.name == 'iter_5.pth' and damage(path) is None


def test_leaves_out_the_step(make_runner):
    """All is as before the step: weights, average, momentum, statistics, memory."""
    look = Look()
    runner = make(make_runner, Spoil(), look, action='skip')
    runner.train()
    assert len(look.states) == 9
    before, after = look.states[BAD], look.states[BAD + 1]
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]), key
    # The step before and the step after are ordinary ones.
    for i in (BAD - 1, BAD + 1):
        changed = {
            key
            for key, value in look.states[i].items()
            if not torch.equal(value, look.states[i + 1].get(key, value))
        }
        assert {
            'plain.head.weight',
            'plain.backbone.1.running_mean',
            'plain.state._extra_state',
            'ema.module.head.weight',
            'ema.steps',
        } <= changed
    assert all(v.isfinite().all() for k, v in after.items() if 'mask' not in k)
    # Nothing of the hook is left behind.
    assert 'update_params' not in vars(runner.optim_wrapper)


def test_a_run_without_bad_steps_is_the_same_with_skip(make_runner, tmp_path):
    looks = []
    for name, action in (('a', 'stop'), ('b', 'skip')):
        looks.append(Look())
        hooks = [dict(type='ModelEMAHook', monitor='toy/score', decay=0.9), looks[-1]]
        hooks.append(dict(type='FiniteLossHook', action=action))
        make_runner(hooks=hooks, work_dir=tmp_path / name).train()
    for a, b in zip(looks[0].states, looks[1].states):
        for key, value in a.items():
            assert torch.equal(value, b[key]), key


def test_too_many_in_a_row(make_runner):
    runner = make(make_runner, Spoil(2, on=True), action='skip', max_skips=3)
    with pytest.raises(FloatingPointError, match='3 steps before it were left out'):
        runner.train()
    assert runner.iter == 5
    assert all(p.isfinite().all() for p in runner.model.parameters())


def test_single_bad_steps_do_not_add_up(make_runner):
    class Often(Spoil):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter % 2:
                data_batch['x'][1] = math.inf

    make(make_runner, Often(), action='skip', max_skips=1).train()


class BadStep(Hook):
    """The loss is a number, but the step ruins the weights."""

    priority = 'HIGHEST'

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 3:
            runner.model.head.weight.data[0, 1] = math.inf


def test_bad_weights_are_not_saved(make_runner, tmp_path):
    runner = make_runner(
        hooks=[BadStep(), dict(type='FiniteLossHook')],
        checkpoint=dict(by_epoch=False, interval=1, max_keep_ckpts=1),
    )
    message = 'not finite after iteration 4, such as state_dict.head.weight'
    with pytest.raises(FloatingPointError, match=message):
        runner.train()
    (path,) = (tmp_path / 'work').glob('*.pth')
    assert path.name == 'iter_3.pth' and damage(path) is None


@pytest.mark.parametrize(
    'options, message',
    [(dict(action='ignore'), "found 'ignore'"), (dict(max_skips=0), 'found 0')],
)
def test_wrong_options(options, message):
    from mmscpnet.engine import FiniteLossHook

    with pytest.raises(ValueError, match=message):
        FiniteLossHook(**options)
