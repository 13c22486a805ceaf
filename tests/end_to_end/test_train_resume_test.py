"""Through the command line: train, be interrupted, resume, test."""

import json
import os
import subprocess
import sys

import pytest
import torch

from mmscpnet.utils.checkpoint import runner_globals
from tests.distributed.forked import run_jobs
from tests.shared import ROOT
from tests.shrunken_configs import shrink

CONFIG = 'scpnet/scpnet_clip-rn50_1xb128_voc12-spml_release.py'


def run(tool, *arguments):
    command = [sys.executable, str(ROOT / 'tools' / tool), *map(str, arguments)]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def last_metrics(work_dir):
    """Validation results of a run, an entry an epoch."""
    lines = []
    for file in sorted(work_dir.glob('*/vis_data/scalars.json')):
        lines += [json.loads(line) for line in file.read_text().splitlines()]
    return [line for line in lines if 'multi-label/mAP' in line]


@pytest.fixture
def config(tmp_path):
    config = shrink(CONFIG, tmp_path)
    config.train_cfg.max_epochs = 3
    config.param_scheduler.total_epochs = 4
    config.default_hooks.checkpoint.max_keep_ckpts = 5
    file = tmp_path / 'config.py'
    config.dump(file)
    return file


def test_resumed_run_ends_like_the_uninterrupted_one(tmp_path, config):
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    # What a run that is interrupted in its second epoch leaves behind.
    interrupted = whole / 'epoch_1.pth'
    call = (
        1,
        'tests.distributed.jobs:tool',
        'train',
        config,
        '--seed',
        '0',
        '--work-dir',
    )
    run_jobs(tmp_path, (*call, whole), (*call, parts, '--resume', interrupted))

    with torch.serialization.safe_globals(runner_globals()):
        a, b = (
            torch.load(folder / 'epoch_3.pth', weights_only=True)
            for folder in (whole, parts)
        )
    for part in ('state_dict', 'ema_state_dict'):
        assert a[part].keys() == b[part].keys()
        for name, value in a[part].items():
            assert torch.equal(value, b[part][name]), (part, name)
    state = [name for name in a['state_dict'] if name.endswith('pessl._extra_state')]
    assert len(state) == 1 and a['state_dict'][state[0]].any()
    assert a['param_schedulers'] == b['param_schedulers']

    # The better of both models is in the best file, and tests to the figure it had.
    metrics = last_metrics(whole)
    assert len(metrics) == 3
    for line in metrics:
        pair = line['multi-label/mAP_ema'], line['multi-label/mAP_plain']
        assert line['multi-label/mAP'] == max(pair)
    best = next(whole.glob('best_*.pth'))
    run('test.py', config, best, '--work-dir', tmp_path / 'tested')
    (tested,) = (tmp_path / 'tested').glob('*/multi_label_map*.json')
    found = json.loads(tested.read_text())
    highest = max(line['multi-label/mAP'] for line in metrics)
    assert found['metrics']['mAP'] == pytest.approx(highest, abs=1e-4)


def test_features_are_extracted_and_averaged(tmp_path):
    config = shrink('scpnet/scpnet-frozen_effnet-lite0_1xb16_msrc-spml.py', tmp_path)
    # Ten photos, fewer than the labels: three labels that every photo has.
    names = ['cat', 'dog', 'sea']
    lines = [f'{i}.jpg,0 1 2' for i in range(10)]
    (tmp_path / 'train.txt').write_text('\n'.join(lines))
    for key in ('train_dataloader', 'val_dataloader'):
        config[key].dataset.dataset.classes = names
    config.train_dataloader.dataset.dataset.pipeline.pop(1)
    config.test_dataloader.dataset.classes = names
    config.model.head.update(classes=names)
    config.model.head.label_graph.topk = 2
    config.model.head.prompter.features = torch.eye(3, 8).tolist()
    file = tmp_path / 'config.py'
    config.dump(file)
    averages = tmp_path / 'averages.npy'
    run('extract_features.py', file, '--splits', 'train', '--label-averages', averages)
    from mmscpnet.label_graph import FeatureFile

    similarity = FeatureFile(str(averages)).similarity(names)
    torch.testing.assert_close(similarity, torch.ones(3, 3), atol=1e-3, rtol=0)
    assert len(list((tmp_path / 'banks').iterdir())) == 2
