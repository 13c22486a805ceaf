"""Precision of pseudo-labels while training, against a count by hand."""

import json
from functools import wraps
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import Runner
from PIL import Image

from mmscpnet.engine import PseudoLabelDiagnosticsHook
from mmscpnet.models.losses import PESSLLoss
from mmscpnet.models.losses.pseudo_labels import unpack_bits
from mmscpnet.utils.checkpoint import read_checkpoint
from tests.distributed.forked import run_jobs
from tests.end_to_end.tiny_run import (
    CLASSES,
    NUM_PHOTOS,
    assert_same,
    load_tiny_run,
    write_tiny_run,
)

HOOK = {'default_hooks.pseudo_labels': dict(type='PseudoLabelDiagnosticsHook')}
SIZE = len(CLASSES)


@pytest.fixture(scope='module', params=[False, True], ids=['photos', 'bank'])
def tiny(request, tmp_path_factory):
    return write_tiny_run(tmp_path_factory.mktemp('tiny') / 'files', bank=request.param)


@pytest.fixture(scope='module')
def bank(tmp_path_factory):
    """A run on a feature bank, which is quick."""
    return write_tiny_run(tmp_path_factory.mktemp('bank') / 'files', bank=True)


@pytest.fixture
def calls(monkeypatch):
    """What each call of the loss was given, and what it remembered."""
    seen, forward = [], PESSLLoss.forward

    @wraps(forward)
    def spy(self, weak, strong, targets, idx, graph=None):
        losses = forward(self, weak, strong, targets, idx, graph)
        chosen = unpack_bits(self.state.packed[idx], SIZE)
        seen.append(
            dict(
                p=weak.detach().sigmoid().numpy(),
                targets=targets.numpy(),
                idx=idx.numpy(),
                chosen=chosen.numpy(),
                graph=graph.detach().numpy(),
                threshold=self.threshold.numpy(),
            )
        )
        return losses

    monkeypatch.setattr(PESSLLoss, 'forward', spy)
    return seen


def truth_of(tiny):
    truth = np.zeros((NUM_PHOTOS, SIZE), int)
    for line in (tiny.parent / 'list.txt').read_text().splitlines():
        name, _, labels = line.partition(',')
        truth[int(name.partition('.')[0]), [int(i) for i in labels.split()]] = 1
    return truth


def top(scores, k):
    return set(sorted(range(SIZE), key=lambda c: -scores[c])[:k])


def count_by_hand(calls, truth, hard_k=2):
    """Figures of an epoch, image by image and label by label."""
    tally = {}
    images = 0
    for call in calls:
        for n, idx in enumerate(call['idx']):
            images += 1
            target, p = call['targets'][n], call['p'][n]
            known = target != -1
            soft = call['graph'] @ p
            over = {c for c in top(soft, hard_k) if soft[c] > call['threshold'][c]}
            sets = {
                'plain': {c for c in range(SIZE) if call['chosen'][n, c]},
                'calibrated': {c for c in over if target[c] != 0},
            }
            for name, q in (('plain', p), ('calibrated', soft)):
                for c in range(SIZE):
                    groups = {'': sets[name]}
                    if not known[c]:
                        groups['hidden_'] = sets[name]
                    groups['top_'] = top(q, hard_k)
                    for entries, chosen in groups.items():
                        row = tally.setdefault(f'{name}/{entries}', [0, 0, 0])
                        row[0] += c in chosen
                        row[1] += c in chosen and truth[idx, c] == 1
                        row[2] += truth[idx, c] == 1
    figures = {}
    for key, (chosen, right, positives) in tally.items():
        if chosen:
            figures[f'pseudo_labels/{key}precision'] = 100 * right / chosen
        if not key.endswith('top_'):
            if positives:
                figures[f'pseudo_labels/{key}recall'] = 100 * right / positives
            figures[f'pseudo_labels/{key}per_image'] = chosen / images
    return figures


def logged(work_dir):
    """Figures by epoch, of all parts of a run."""
    found = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if any(key.startswith('pseudo_labels/') for key in entry):
                found[entry.pop('step')] = entry
    return found


def test_figures_of_each_epoch(tiny, calls, tmp_path):
    Runner.from_cfg(load_tiny_run(tiny, tmp_path, **HOOK)).train()
    found, truth = logged(tmp_path), truth_of(tiny)
    assert sorted(found) == [1, 2, 3] and len(calls) == 12
    for epoch in found:
        expected = count_by_hand(calls[4 * epoch - 4 : 4 * epoch], truth)
        assert len(expected) >= 12
        assert found[epoch] == pytest.approx(expected)
    # Something was chosen, right and wrong.
    precision = found[3]['pseudo_labels/plain/hidden_precision']
    assert 0 < precision < 100
    (log,) = tmp_path.glob('*/*.log')
    assert 'Pseudo-labels of epoch 3: plain precision' in log.read_text()
    (picture,) = tmp_path.glob('*/pseudo_labels.png')
    assert np.asarray(Image.open(picture)).std() > 5
    assert '</svg>' in picture.with_suffix('.svg').read_text()


def test_training_is_the_same_without(bank, tmp_path):
    """No loss sees the hidden labels, and no random number is used up."""
    for name, options in (('with', HOOK), ('without', {})):
        Runner.from_cfg(load_tiny_run(bank, tmp_path / name, **options)).train()
    a, b = (
        read_checkpoint(str(tmp_path / name / 'iter_12.pth'))
        for name in ('with', 'without')
    )
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        assert_same(a[part], b[part], part)
    assert not list((tmp_path / 'without').glob('*/pseudo_labels*'))


def test_resumed_run_draws_all_its_epochs(bank, tmp_path, monkeypatch):
    from mmscpnet.visualization import pseudo_label_figure

    drawn = []
    monkeypatch.setattr(
        pseudo_label_figure, 'draw_pseudo_labels', lambda h, *_: drawn.append(h)
    )
    short = {'train_cfg.max_epochs': 2, **HOOK}
    Runner.from_cfg(load_tiny_run(bank, tmp_path, **short)).train()
    Runner.from_cfg(load_tiny_run(bank, tmp_path, resume=True, **HOOK)).train()
    assert sorted(drawn[-1]) == [1, 2, 3]
    assert drawn[-1] == logged(tmp_path)


def test_iteration_based_loop(bank, tmp_path):
    config = load_tiny_run(bank, tmp_path)
    hooks = dict(config.default_hooks)
    hooks['pseudo_labels'] = dict(type='PseudoLabelDiagnosticsHook', epoch_length=3)
    hooks['set_epoch'] = dict(type='SetEpochHook', epoch_length=4)
    hooks['ema'] = None
    config.default_hooks = ConfigDict({k: v for k, v in hooks.items() if v})
    config.train_cfg = ConfigDict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=7, val_interval=100
    )
    config.train_cfg.pop('_delete_')
    config.param_scheduler = None
    Runner.from_cfg(config).train()
    assert sorted(logged(tmp_path)) == [1, 2]


def refused(config, message):
    runner = Runner.from_cfg(config)
    with pytest.raises(ValueError, match=f'PseudoLabelDiagnosticsHook.*{message}'):
        runner.train()
    assert runner.iter == 0


def test_refused(bank, tmp_path):
    config = load_tiny_run(bank, tmp_path / 'a', **HOOK)
    config.model.head.pessl = None
    refused(config, 'needs model.head.pessl')
    config = load_tiny_run(bank, tmp_path / 'b', **HOOK)
    pipeline = config.train_dataloader.dataset.pipeline
    config.train_dataloader.dataset.pipeline = [
        step for step in pipeline if step.type != 'SinglePositiveLabel'
    ]
    refused(config, 'no hidden labels: no transform of its pipeline masks')
    with pytest.raises(ValueError, match='epoch_length must be'):
        PseudoLabelDiagnosticsHook(epoch_length=0)


def close_in_two_processes(folder):
    """Each process has counted something else; both log the sum."""
    import os

    from mmengine.runner import EpochBasedTrainLoop

    torch.distributed.init_process_group('gloo')
    rank = int(os.environ['RANK'])
    hook = PseudoLabelDiagnosticsHook()
    hook._images = 2 + rank
    hook._counts['plain/'] = torch.tensor([4 + rank, 4, 1 + rank, 8])
    seen = {}
    runner = SimpleNamespace(
        model=torch.nn.Linear(1, 1),
        train_loop=EpochBasedTrainLoop.__new__(EpochBasedTrainLoop),
        epoch=0,
        timestamp='now',
        message_hub=SimpleNamespace(
            runtime_info={}, update_info=lambda key, value: None
        ),
        logger=SimpleNamespace(info=lambda text: None),
        visualizer=SimpleNamespace(
            add_scalars=lambda figures, step, file_path: seen.update(figures)
        ),
    )
    hook._close_epoch(runner)
    with open(f'{folder}/{rank}.json', 'w') as file:
        json.dump(seen, file)


def test_several_processes_count_together(tmp_path):
    job = 'tests.engine.hooks.test_pseudo_label_diagnostics_hook:close_in_two_processes'
    run_jobs(tmp_path, (2, job, tmp_path))
    for rank in (0, 1):
        found = json.loads((tmp_path / f'{rank}.json').read_text())
        assert found['pseudo_labels/plain/precision'] == pytest.approx(100 * 3 / 8)
        assert found['pseudo_labels/plain/recall'] == pytest.approx(100 * 3 / 16)
        assert found['pseudo_labels/plain/per_image'] == pytest.approx(9 / 5)
