"""What a run tells MMEngine's visualisation backends: files, TensorBoard and others."""

import json
import re

import pytest
from mmengine.runner import Runner

from .tiny_run import load_tiny_run, write_tiny_run

# Every scalar of a training step that a user of PESSL looks for.
OF_A_STEP = {
    'loss',
    'loss_cls',
    'loss_cst',
    'loss_dstl',
    'pseudo_labels',
    'confident_images',
    'mean_threshold',
    'lr',
}
OF_AN_EPOCH = {'multi-label/mAP', 'multi-label/mAP_ema', 'multi-label/mAP_plain'}
OF_THE_HOOK = {
    f'pseudo_labels/{name}/{figure}'
    for name in ('plain', 'calibrated')
    for figure in ('recall', 'per_image', 'hidden_recall', 'hidden_per_image')
}
EPOCHS, STEPS = 3, 12


def train(tmp_path, *backends):
    config = load_tiny_run(
        write_tiny_run(tmp_path / 'files', bank=True),
        tmp_path / 'work',
        **{
            'default_hooks.logger.interval': 1,
            'default_hooks.pseudo_labels': dict(type='PseudoLabelDiagnosticsHook'),
            'visualizer.vis_backends': [dict(type=name) for name in backends],
        },
    )
    Runner.from_cfg(config).train()
    return tmp_path / 'work'


def read_local(work_dir) -> dict:
    """Name -> step -> value."""
    (file,) = work_dir.glob('*/vis_data/scalars.json')
    found = {}
    for line in file.read_text().splitlines():
        entry = json.loads(line)
        step = entry.pop('step')
        for name, value in entry.items():
            found.setdefault(name, {})[step] = value
    return found


def check_names(scalars: dict) -> None:
    for names, steps in ((OF_A_STEP, STEPS), (OF_AN_EPOCH | OF_THE_HOOK, EPOCHS)):
        for name in names:
            assert sorted(scalars[name]) == list(range(1, steps + 1)), name
    # The names that MLflow takes; W&B and TensorBoard take more.
    assert all(re.fullmatch(r'[\w\-. :/]+', name) for name in scalars)


def test_files(tmp_path):
    scalars = read_local(train(tmp_path, 'LocalVisBackend'))
    check_names(scalars)
    total = scalars['loss'][1]
    parts = sum(scalars[f'loss_{part}'][1] for part in ('cls', 'cst', 'dstl'))
    # The first line is the mean of one step.
    assert total == pytest.approx(parts, rel=1e-5)
    assert all(0 <= v <= 1 for v in scalars['confident_images'].values())
    assert all(0 < v < 1 for v in scalars['mean_threshold'].values())
    assert all(0 <= v <= 4 for v in scalars['pseudo_labels'].values())
    for epoch, value in scalars['multi-label/mAP'].items():
        both = [scalars[f'multi-label/mAP_{m}'][epoch] for m in ('ema', 'plain')]
        assert value in both


def test_tensorboard(tmp_path):
    """What its event file says is what the log says, step by step."""
    pytest.importorskip('tensorboard', reason='needs tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    work_dir = train(tmp_path, 'LocalVisBackend', 'TensorboardVisBackend')
    (file,) = work_dir.glob('*/vis_data/events.out.tfevents*')
    events = EventAccumulator(str(file)).Reload()
    scalars = {
        name: {event.step: event.value for event in events.Scalars(name)}
        for name in events.Tags()['scalars']
    }
    check_names(scalars)
    written = read_local(work_dir)
    for name in OF_A_STEP | OF_AN_EPOCH | OF_THE_HOOK:
        assert scalars[name] == pytest.approx(written[name], rel=1e-5), name
