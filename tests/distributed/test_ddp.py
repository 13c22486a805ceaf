"""Training in 1, 2 and 4 processes is the same training."""

import pytest
import torch

from mmscpnet.models.losses.pseudo_labels import unpack_bits
from tests.distributed.forked import run_jobs
from tests.distributed.tiny import CLASSES, GLOO, load, logged, run_tool, write_config

STATE = 'head.pessl._extra_state'


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """Work folders of runs with one global batch, by their number of processes.

    44 photos in batches of 8: the last batch of an epoch is half full. The learning
    rates come from --auto-scale-lr.
    """
    folder = tmp_path_factory.mktemp('ddp')
    config = write_config(folder, num_photos=44)

    def command(processes):
        options = ['--auto-scale-lr', '--work-dir', folder / str(processes)]
        options += ['--cfg-options', GLOO]
        return config, *options, f'train_dataloader.batch_size={8 // processes}'

    # as a user does, and as that takes long, the others without a fresh start
    run_tool('train', 2, *command(2))
    run_jobs(
        folder,
        *((n, 'tests.distributed.jobs:tool', 'train', *command(n)) for n in (1, 4)),
    )
    return {processes: folder / str(processes) for processes in (1, 2, 4)}


@pytest.mark.parametrize('processes', [2, 4])
def test_same_training(runs, processes):
    expected, found = (load(runs[n] / 'epoch_4.pth') for n in (1, processes))
    assert found['meta']['iter'] == 24
    for part in ('state_dict', 'ema_state_dict'):
        assert expected[part].keys() == found[part].keys()
        for name, value in expected[part].items():
            if name.endswith('_extra_state'):
                assert torch.equal(found[part][name], value), name
            else:
                torch.testing.assert_close(
                    found[part][name], value, atol=1e-4, rtol=0, msg=name
                )
    # pseudo-labels were given, to some of the images
    bits = unpack_bits(expected['state_dict'][STATE], len(CLASSES))
    assert 0 < bits.sum() < bits.numel()

    for key in ('loss', 'loss_cls', 'loss_cst', 'loss_dstl'):
        values = logged(runs[1], key)
        assert len(values) == 24
        assert logged(runs[processes], key) == pytest.approx(values, rel=1e-5), key
    values = logged(runs[1], 'pseudo_labels')
    assert logged(runs[processes], 'pseudo_labels') == pytest.approx(values)
    values = logged(runs[1], 'multi-label/mAP')
    assert logged(runs[processes], 'multi-label/mAP') == pytest.approx(values)


def test_training_has_moved_the_weights(runs):
    first, last = (load(runs[1] / f'epoch_{n}.pth')['state_dict'] for n in (2, 4))
    moved = max((first[k] - last[k]).abs().max() for k in first if 'conv' in k)
    assert moved > 1e-3  # well above the tolerance
