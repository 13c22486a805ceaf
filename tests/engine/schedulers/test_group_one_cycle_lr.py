import os

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper

from mmscpnet.engine import GroupOneCycleLR

GOLDEN = os.path.join(
    os.path.dirname(__file__), '..', '..', '..', '..', 'shared', 'golden', 'voc.npz'
)
LRS = (4e-5, 2e-4, 1e-3)


def _optimizer(cls=torch.optim.Adam, lrs=LRS, **kwargs):
    groups = [dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=lr) for lr in lrs]
    return cls(groups, lr=lrs[0], **kwargs)


def _run(optimizer, scheduler, steps, key='betas'):
    rows = []
    for _ in range(steps):
        rows.append(
            [
                value
                for group in optimizer.param_groups
                for value in (
                    group['lr'],
                    group['betas'][0] if key == 'betas' else group['momentum'],
                )
            ]
        )
        scheduler.optimizer.step()
        scheduler.step()
    return np.array(rows)


@pytest.mark.parametrize('wrapped', [False, True])
@pytest.mark.parametrize('anneal', ['cos', 'linear'])
@pytest.mark.parametrize('three_phase', [False, True])
@pytest.mark.parametrize('steps,pct', [(1, 0.2), (2, 0.3), (37, 0.2), (100, 0.45)])
def test_equals_torch(wrapped, anneal, three_phase, steps, pct):
    shape = dict(pct_start=pct, anneal_strategy=anneal, three_phase=three_phase)
    reference = _optimizer()
    theirs = _run(
        reference,
        # one step more than used: torch refuses to step past the end
        torch.optim.lr_scheduler.OneCycleLR(
            reference, list(LRS), total_steps=steps, **shape
        ),
        steps,
    )
    optimizer = _optimizer()
    ours = _run(
        optimizer,
        GroupOneCycleLR(
            OptimWrapper(optimizer) if wrapped else optimizer,
            total_steps=steps,
            by_epoch=False,
            **shape,
        ),
        steps,
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0)


def test_equals_torch_with_sgd_momentum_and_explicit_values():
    options = dict(
        base_momentum=[0.8, 0.7, 0.6],
        max_momentum=[0.9, 0.95, 0.99],
        div_factor=10.0,
        final_div_factor=100.0,
        pct_start=0.25,
    )
    maxima = [1.0, 2.0, 3.0]
    a, b = (_optimizer(torch.optim.SGD, momentum=0.5) for _ in range(2))
    theirs = torch.optim.lr_scheduler.OneCycleLR(a, maxima, total_steps=40, **options)
    ours = GroupOneCycleLR(b, maxima, total_steps=40, by_epoch=False, **options)
    np.testing.assert_allclose(
        _run(b, ours, 40, 'momentum'), _run(a, theirs, 40, 'momentum'), rtol=1e-12
    )


@pytest.mark.skipif(not os.path.exists(GOLDEN), reason='golden/voc.npz is not there')
def test_golden_voc_schedule():
    golden = np.load(GOLDEN)
    rows = golden['onecycle']
    optimizer = _optimizer(lrs=(4e-5, 2e-4))
    scheduler = GroupOneCycleLR.build_iter_from_epoch(
        OptimWrapper(optimizer),
        total_epochs=int(golden['total_epochs']),
        epoch_length=int(golden['spe']),
    )
    ours = _run(optimizer, scheduler, len(rows))[:, [0, 2, 1]]
    np.testing.assert_allclose(ours, rows, rtol=1e-5)
    # rows are the values that a step is made with: the first is the initial rate
    assert rows[0, 0] == pytest.approx(4e-5 / 25)


def test_maxima_are_the_groups_own_learning_rates():
    optimizer = _optimizer()
    GroupOneCycleLR(optimizer, total_steps=10, by_epoch=False)
    assert [group['lr'] * 25 for group in optimizer.param_groups] == pytest.approx(LRS)


def test_past_the_end_values_stay():
    optimizer = _optimizer()
    scheduler = GroupOneCycleLR(optimizer, total_steps=5, by_epoch=False)
    rows = _run(optimizer, scheduler, 9)
    np.testing.assert_array_equal(rows[5:], np.repeat(rows[4:5], 4, axis=0))
    assert rows[4, 0] == pytest.approx(4e-5 / 25 / 1e4)
    assert rows[4, 1] == pytest.approx(0.95)


def test_one_step_warm_up_starts_at_the_maximum():
    # torch divides by zero here
    optimizer = _optimizer()
    GroupOneCycleLR(optimizer, total_steps=10, pct_start=0.1, by_epoch=False)
    assert [group['lr'] for group in optimizer.param_groups] == pytest.approx(LRS)


def test_momentum_left_alone():
    optimizer = _optimizer()
    GroupOneCycleLR(optimizer, total_steps=10, by_epoch=False, cycle_momentum=False)
    assert optimizer.param_groups[0]['betas'] == (0.9, 0.999)


def test_state_dict_continues():
    a = _optimizer()
    first = GroupOneCycleLR(a, total_steps=20, by_epoch=False)
    whole = _run(_optimizer(), first, 0)
    expected = _run(a, first, 20)
    assert whole.size == 0
    b = _optimizer()
    scheduler = GroupOneCycleLR(b, total_steps=20, by_epoch=False)
    _run(b, scheduler, 8)
    states = b.state_dict(), scheduler.state_dict()
    c = _optimizer(lrs=(1.0, 1.0, 1.0))
    resumed = GroupOneCycleLR(c, total_steps=20, by_epoch=False)
    c.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    np.testing.assert_array_equal(_run(c, resumed, 12), expected[8:])
    few = GroupOneCycleLR(_optimizer(lrs=(1.0,)), total_steps=20, by_epoch=False)
    with pytest.raises(ValueError, match='3 parameter groups'):
        few.load_state_dict(states[1])


CFG = dict(
    type='GroupOneCycleLR',
    total_epochs=5,
    pct_start=0.2,
    cycle_momentum=True,
    convert_to_iter_based=True,
)
OPTIM = dict(
    constructor='SCPNetOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=0.01, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(head=10.0)),
)


class Recorder:
    """Wraps train_step to note the rates that steps are made with."""

    def __init__(self, runner):
        self.rows = []
        step = runner.model.train_step

        def train_step(data, optim_wrapper):
            self.rows.append(
                [g['lr'] for g in optim_wrapper.optimizer.param_groups]
                + [optim_wrapper.optimizer.param_groups[0]['betas'][0]]
            )
            return step(data, optim_wrapper)

        runner.model.train_step = train_step


def test_through_runner_and_resume(make_runner, tmp_path):
    runner = make_runner(
        epochs=3, param_scheduler=dict(CFG), optim_wrapper=OPTIM, hooks=[]
    )
    recorder = Recorder(runner)
    runner.train()
    # 5 epochs of 2 iterations, of which the run does 3 epochs
    reference = _optimizer(lrs=(0.01, 0.1))
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        reference, [0.01, 0.1], total_steps=10, pct_start=0.2
    )
    expected = _run(reference, scheduler, 6)
    rows = np.array(recorder.rows)
    # groups: base, base_no_decay, head, head_no_decay
    np.testing.assert_allclose(rows[:, 0], expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(rows[:, 2], expected[:, 2], rtol=1e-12)
    np.testing.assert_allclose(rows[:, 4], expected[:, 1], rtol=1e-12)

    resumed = make_runner(
        epochs=3,
        param_scheduler=dict(CFG),
        optim_wrapper=OPTIM,
        work_dir=tmp_path / 'second',
        load_from=str(tmp_path / 'work' / 'epoch_2.pth'),
        resume=True,
    )
    again = Recorder(resumed)
    resumed.train()
    np.testing.assert_array_equal(np.array(again.rows), rows[4:])


def test_auto_scale_lr_scales_every_maximum(make_runner):
    runner = make_runner(
        epochs=1,
        param_scheduler=dict(CFG),
        optim_wrapper=OPTIM,
        auto_scale_lr=dict(enable=True, base_batch_size=2),
    )
    recorder = Recorder(runner)
    runner.train()
    np.testing.assert_allclose(recorder.rows[0][:4], [8e-4, 8e-4, 8e-3, 8e-3])


def test_max_lr_refuses_to_undo_auto_scale_lr(make_runner):
    runner = make_runner(
        epochs=1,
        param_scheduler=dict(CFG, max_lr=0.01),
        optim_wrapper=OPTIM,
        auto_scale_lr=dict(enable=True, base_batch_size=2),
    )
    with pytest.raises(ValueError, match='auto_scale_lr'):
        runner.train()


def test_length_of_the_run_if_none_is_given(make_runner):
    cfg = dict(type='GroupOneCycleLR', convert_to_iter_based=True)
    runner = make_runner(epochs=3, param_scheduler=cfg)
    runner.train()
    scheduler = runner.param_schedulers[0]
    assert scheduler.total_steps == 6
    runner = make_runner(epochs=3, param_scheduler=dict(CFG, total_epochs=1))
    runner.train()
    assert runner.param_schedulers[0].total_steps == 2


@pytest.mark.parametrize(
    'kwargs,match',
    [
        (dict(total_steps=10), 'convert_to_iter_based'),
        (dict(total_epochs=10), 'convert_to_iter_based'),
        (dict(total_epochs=10, by_epoch=False), 'convert_to_iter_based'),
        (dict(by_epoch=False), 'has no length'),
        (dict(by_epoch=False, total_steps=0), 'total_steps'),
        (dict(by_epoch=False, total_steps=2.5), 'total_steps'),
        (dict(by_epoch=False, total_steps=9, pct_start=1.2), 'pct_start'),
        (dict(by_epoch=False, total_steps=9, div_factor=0), 'div_factor'),
        (dict(by_epoch=False, total_steps=9, anneal_strategy='x'), 'anneal_strategy'),
        (dict(by_epoch=False, total_steps=9, max_lr=[4e-5, 1]), '2 values for 3'),
        (dict(by_epoch=False, total_steps=9, max_momentum=[1]), 'max_momentum'),
    ],
)
def test_refused_options(kwargs, match):
    with pytest.raises(ValueError, match=match):
        GroupOneCycleLR(_optimizer(), **kwargs)


def test_refused_optimizer_and_epochs():
    with pytest.raises(ValueError, match='neither betas nor momentum'):
        GroupOneCycleLR(_optimizer(torch.optim.Adagrad), total_steps=5, by_epoch=False)
    build = GroupOneCycleLR.build_iter_from_epoch
    with pytest.raises(ValueError, match='not both'):
        build(_optimizer(), total_epochs=2, total_steps=5, epoch_length=3)
    with pytest.raises(ValueError, match='epoch_length'):
        build(_optimizer(), total_epochs=2)
    with pytest.raises(ValueError, match='total_epochs'):
        build(_optimizer(), total_epochs=0, epoch_length=3)
    with pytest.raises(ValueError, match='contradict'):
        build(_optimizer(), total_epochs=2, epoch_length=3, by_epoch=False)
