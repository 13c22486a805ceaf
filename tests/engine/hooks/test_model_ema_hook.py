import os

import pytest
import torch
from mmengine.hooks import Hook

from mmscpnet.engine import ModelEMAHook
from mmscpnet.engine.averaged_model import named_state
from mmscpnet.utils.checkpoint import read_checkpoint

DECAY = 0.8


def ema_cfg(**kwargs):
    return {'type': 'ModelEMAHook', 'monitor': 'toy/score', 'decay': DECAY, **kwargs}


class Tracker(Hook):
    """Recomputes the average on its own, in float64, step by step."""

    priority = 'LOWEST'

    def __init__(self):
        self.average = None
        self.plain = []
        self.metrics = []

    @staticmethod
    def _state(runner):
        state = runner.model.state_dict(keep_vars=False)
        return {
            k: v.clone().double() if v.is_floating_point() else v.clone()
            for k, v in state.items()
        }

    def before_train(self, runner):
        if self.average is None:
            self.average = self._state(runner)
        self.start = self._state(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        now = self._state(runner)
        self.average = {
            k: DECAY * self.average[k] + (1 - DECAY) * v if v.is_floating_point() else v
            for k, v in now.items()
        }
        self.plain.append(now)

    def after_val_epoch(self, runner, metrics=None):
        self.metrics.append(dict(metrics))


def hook_of(runner, kind=ModelEMAHook):
    return next(hook for hook in runner.hooks if isinstance(hook, kind))


def assert_state(state, expected, **tolerance):
    for key, value in expected.items():
        torch.testing.assert_close(
            state[key].double(), value.double(), **tolerance, msg=key
        )


CLOSE = dict(rtol=1e-5, atol=1e-7)


def test_average_over_all_state_from_the_first_weights(make_runner, toy_model):
    tracker = Tracker()
    runner = make_runner(epochs=3, hooks=[ema_cfg(), tracker])
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    hook = hook_of(runner)
    # init_weights ran after before_run: the average must not know `before`
    assert not torch.equal(tracker.start['head.weight'], before['head.weight'].double())
    average = {n: t for n, t in named_state(hook.ema_model.module)}
    assert {'backbone.1.running_mean', 'backbone.1.num_batches_tracked'} < set(average)
    assert_state(average, {k: tracker.average[k] for k in average}, **CLOSE)
    assert hook.ema_model.steps.item() == 6
    assert average['backbone.1.num_batches_tracked'].item() == 6
    # the live model was given back after the last validation
    assert_state(runner.model.state_dict(), tracker.plain[-1])


def test_both_models_are_evaluated(make_runner):
    tracker = Tracker()
    runner = make_runner(epochs=1, hooks=[ema_cfg(), tracker])
    runner.train()
    (metrics,) = tracker.metrics
    hook = hook_of(runner)
    errors = {}
    for name in ('plain', 'ema'):
        if name == 'ema':
            hook.ema_model.swap_with(runner.model)
        errors[name] = runner.test()['toy/error']
    assert metrics['toy/score_ema'] == pytest.approx(-errors['ema'], rel=1e-5)
    assert metrics['toy/score_plain'] == pytest.approx(-errors['plain'], rel=1e-5)
    assert errors['ema'] != pytest.approx(errors['plain'], rel=1e-3)
    best = min(errors.values())
    assert metrics['toy/score'] == pytest.approx(-best, rel=1e-5)
    assert metrics['toy/error'] == pytest.approx(best, rel=1e-5)
    # and the log has them
    scalars = runner.message_hub.log_scalars
    for key in ('toy/score', 'toy/score_ema', 'toy/score_plain'):
        assert scalars[f'val/{key}'].current() == pytest.approx(metrics[key])


# evaluations come in the order ema, plain for each epoch
@pytest.mark.parametrize(
    'scores,rule,front,epoch',
    [
        ([1, 2, 1, 1.5], 'greater', 'plain', 1),
        ([1, 2, 4, 3], 'greater', 'ema', 2),
        ([1, 2, 3, 5], 'greater', 'plain', 2),
        ([2, 2, 1, 1], 'greater', 'ema', 1),
        ([2, 1, 3, 4], 'less', 'plain', 1),
        ([float('nan'), 1, 0, 0], 'greater', 'plain', 1),
        ([1, float('nan'), 0, 0], 'greater', 'ema', 1),
    ],
)
def test_best_checkpoint_holds_the_better_model(
    make_runner, tmp_path, scores, rule, front, epoch
):
    tracker = Tracker()
    averages, plains = [], []

    class Snapshot(Hook):
        priority = 'LOWEST'

        def after_train_epoch(self, runner):
            averages.append(dict(tracker.average))
            plains.append(dict(tracker.plain[-1]))

    runner = make_runner(
        scores,
        hooks=[ema_cfg(rule=rule), tracker, Snapshot()],
        checkpoint=dict(save_best='toy/score', rule=rule),
    )
    runner.train()
    best = read_checkpoint(tmp_path / 'work' / f'best_toy_score_epoch_{epoch}.pth')
    assert best['meta']['state_dict_model'] == front
    average, plain = averages[epoch - 1], plains[epoch - 1]
    first, second = (average, plain) if front == 'ema' else (plain, average)
    other = {
        k[7:]: v for k, v in best['ema_state_dict'].items() if k.startswith('module.')
    }
    assert_state(best['state_dict'], first, **CLOSE)
    assert_state(other, second, **CLOSE)
    # the ordinary files keep mmengine's convention, also when written again
    # because a best one was
    for i in (1, 2):
        usual = read_checkpoint(tmp_path / 'work' / f'epoch_{i}.pth')
        assert usual['meta']['state_dict_model'] == 'ema'
        assert_state(usual['state_dict'], averages[i - 1], **CLOSE)
        assert usual['ema_state_dict']['steps'].item() == 2 * i


def test_metrics_reach_save_best_and_early_stopping(make_runner, tmp_path):
    scores = [1, 5, 2, 3, 2, 1, 0, 0, 0, 0]
    runner = make_runner(
        scores,
        epochs=5,
        hooks=[
            dict(
                type='EarlyStoppingHook',
                monitor='toy/score',
                rule='greater',
                patience=2,
            ),
            ema_cfg(),
        ],
        checkpoint=dict(
            save_best=['toy/score', 'toy/score_ema'], rule='greater', interval=1
        ),
    )
    runner.train()
    # better scores 5, 3, 2: stopped after epoch 3
    assert runner.epoch == 3
    names = sorted(os.listdir(tmp_path / 'work'))
    assert 'best_toy_score_epoch_1.pth' in names
    assert 'best_toy_score_ema_epoch_2.pth' in names
    second = read_checkpoint(tmp_path / 'work' / 'best_toy_score_ema_epoch_2.pth')
    # of epoch 2 the plain model is the better one (3 against 2)
    assert second['meta']['state_dict_model'] == 'plain'


def test_resume_is_exact(make_runner, tmp_path):
    whole = make_runner(epochs=4, hooks=[ema_cfg()])
    whole.train()
    first = make_runner(epochs=2, hooks=[ema_cfg()], work_dir=tmp_path / 'a')
    first.train()
    second = make_runner(
        epochs=4,
        hooks=[ema_cfg()],
        work_dir=tmp_path / 'b',
        load_from=str(tmp_path / 'a' / 'epoch_2.pth'),
        resume=True,
    )
    second.train()
    for a, b in [
        (whole.model, second.model),
        (hook_of(whole).ema_model.module, hook_of(second).ema_model.module),
    ]:
        assert_state(dict(named_state(a)), dict(named_state(b)), rtol=0, atol=0)
    assert hook_of(second).ema_model.steps.item() == 8


@pytest.mark.parametrize('scores,front', [([1, 2], 'plain'), ([2, 1], 'ema')])
def test_resume_from_either_kind_of_best_checkpoint(
    make_runner, tmp_path, scores, front
):
    first = make_runner(
        scores,
        epochs=1,
        hooks=[ema_cfg()],
        work_dir=tmp_path / 'a',
        checkpoint=dict(save_best='toy/score', rule='greater'),
    )
    first.train()
    best = tmp_path / 'a' / 'best_toy_score_epoch_1.pth'
    assert read_checkpoint(best)['meta']['state_dict_model'] == front

    class Look(Hook):
        priority = 'VERY_HIGH'  # right after ModelEMAHook

        def before_train(self, runner):
            average = hook_of(runner).ema_model.module
            source = hook_of(first).ema_model.module
            exact = dict(rtol=0, atol=0)
            assert_state(dict(named_state(average)), dict(named_state(source)), **exact)
            assert_state(
                dict(named_state(runner.model)), dict(named_state(first.model)), **exact
            )
            runner.looked = True

    second = make_runner(
        epochs=2,
        hooks=[ema_cfg(), Look()],
        work_dir=tmp_path / 'b',
        load_from=str(best),
        resume=True,
    )
    second.train()
    assert second.looked


def test_load_without_resume_starts_the_average_from_the_loaded(make_runner, tmp_path):
    make_runner(epochs=1, hooks=[ema_cfg()], work_dir=tmp_path / 'a').train()
    path = tmp_path / 'a' / 'epoch_1.pth'
    tracker = Tracker()
    runner = make_runner(epochs=1, hooks=[ema_cfg(), tracker], load_from=str(path))
    runner.train()
    assert_state(tracker.start, read_checkpoint(path)['state_dict'])
    average = dict(named_state(hook_of(runner).ema_model.module))
    assert_state(average, {k: tracker.average[k] for k in average}, **CLOSE)


def test_resume_without_average_in_the_file(make_runner, tmp_path):
    make_runner(epochs=1, work_dir=tmp_path / 'a').train()
    tracker = Tracker()
    runner = make_runner(
        epochs=2,
        hooks=[ema_cfg(), tracker],
        load_from=str(tmp_path / 'a' / 'epoch_1.pth'),
        resume=True,
    )
    runner.train()
    average = dict(named_state(hook_of(runner).ema_model.module))
    assert_state(average, {k: tracker.average[k] for k in average}, **CLOSE)


def test_extra_state_is_neither_averaged_nor_swapped(make_runner, tmp_path):
    seen = []

    class Look(Hook):
        priority = 'LOWEST'

        def before_val_epoch(self, runner):
            seen.append(runner.model.state.seen.tolist())
            assert runner.model.state.loads == 0

    runner = make_runner(
        [1, 2, 3, 2],
        epochs=2,
        hooks=[ema_cfg(), Look()],
        checkpoint=dict(save_best='toy/score', rule='greater'),
    )
    runner.train()
    assert seen == [[1] * 8, [2] * 8]
    assert runner.model.state.loads == 0
    for name, times in [('epoch_1', 1), ('epoch_2', 2), ('best_toy_score_epoch_2', 2)]:
        saved = read_checkpoint(tmp_path / 'work' / f'{name}.pth')
        for part, key in [
            ('state_dict', 'state._extra_state'),
            ('ema_state_dict', 'module.state._extra_state'),
        ]:
            assert saved[part][key].tolist() == [times] * 8
            assert saved[part][key].dtype == torch.uint8


def test_outside_training_nothing_happens(make_runner, tmp_path):
    make_runner(epochs=1, hooks=[ema_cfg()], work_dir=tmp_path / 'a').train()
    path = tmp_path / 'a' / 'epoch_1.pth'
    plain = make_runner(load_from=str(path), work_dir=tmp_path / 'b')
    hooked = make_runner(
        hooks=[ema_cfg()], load_from=str(path), work_dir=tmp_path / 'c'
    )
    expected = plain.test()['toy/error']
    assert hooked.test() == {'toy/error': expected, 'toy/score': -expected}
    assert set(hooked.val()) == {'toy/error', 'toy/score'}
    assert hook_of(hooked).ema_model is None
    assert_state(hooked.model.state_dict(), read_checkpoint(path)['state_dict'])


def test_decay_per_epoch(make_runner):
    runner = make_runner(epochs=1, hooks=[ema_cfg(decay=None, decay_per_epoch=0.82)])
    runner.train()
    assert hook_of(runner).ema_model.decay == pytest.approx(0.82**0.5)


def test_with_gradient_accumulation_an_update_is_a_step(make_runner):
    optim = dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2)
    cfg = ema_cfg(decay=None, decay_per_epoch=0.82)
    runner = make_runner(epochs=3, hooks=[cfg], optim_wrapper=optim)
    runner.train()
    assert hook_of(runner).ema_model.steps.item() == 3
    assert hook_of(runner).ema_model.decay == pytest.approx(0.82)


@pytest.mark.parametrize(
    'kwargs,match',
    [
        (dict(), 'exactly one'),
        (dict(decay=0.9, decay_per_epoch=0.9), 'exactly one'),
        (dict(decay=1.0), 'decay must be'),
        (dict(decay_per_epoch=0.0), 'decay_per_epoch must be'),
        (dict(decay=0.9, rule='max'), 'rule'),
    ],
)
def test_refused_options(kwargs, match):
    with pytest.raises(ValueError, match=match):
        ModelEMAHook(**kwargs)


def test_refused_monitor_and_priority(make_runner):
    with pytest.raises(ValueError, match="monitor='toy/mAP'.*toy/error"):
        make_runner(hooks=[ema_cfg(monitor='toy/mAP')]).train()
    with pytest.raises(ValueError, match='leave the priority'):
        make_runner(hooks=[ema_cfg(priority='LOW')]).train()
