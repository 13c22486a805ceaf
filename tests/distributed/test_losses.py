"""Losses over the images of several processes are those of the global batch."""

import pytest
import torch

from mmscpnet.models.losses.pseudo_labels import unpack_bits
from tests.distributed import jobs
from tests.distributed.forked import run_jobs
from tests.models.losses.test_every_loss import LOSSES

PROCESSES = 3


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    """Results of each of three processes; with seven images one has more than two."""
    folder = tmp_path_factory.mktemp('losses')
    calls = [('losses', folder), ('pessl', folder, False), ('pessl', folder, True)]
    calls.append(('bad_step', folder))
    run_jobs(
        folder,
        *(
            (PROCESSES, f'tests.distributed.jobs:{name}', *rest)
            for name, *rest in calls
        ),
    )
    found = {
        kind: [
            torch.load(folder / f'{kind}{rank}.pth', weights_only=True)
            for rank in range(PROCESSES)
        ]
        for kind in ('losses', 'pessl0_', 'pessl1_')
    }
    texts = [folder / f'bad_step{rank}.txt' for rank in range(PROCESSES)]
    return {**found, 'bad_step': [text.read_text() for text in texts]}


@pytest.mark.parametrize('name', LOSSES)
def test_same_as_in_one_process(results, name):
    expected = jobs.train_loss(name, 0, 1)
    assert expected['values'].std() > 0
    for found in results['losses']:
        for key, value in expected.items():
            torch.testing.assert_close(
                found[name][key], value, rtol=1e-5, atol=1e-5, equal_nan=True
            )
        # each process has the memory of all, to the bit
        first = results['losses'][0][name]['memory']
        assert torch.equal(found[name]['memory'].nan_to_num(2), first.nan_to_num(2))


def test_a_process_without_confident_images(results):
    expected = jobs.train_pessl(padded=False)
    assert 0 < expected['counts'].sum()
    for found in results['pessl0_']:
        torch.testing.assert_close(found['values'], expected['values'])
        assert torch.equal(found['counts'], expected['counts'])
        assert torch.equal(found['packed'], expected['packed'])


def test_images_that_the_sampler_repeats_count_once(results):
    alone = jobs.train_pessl(padded=False)
    for found in results['pessl1_']:
        assert torch.equal(found['counts'], alone['counts'])
        assert torch.equal(found['packed'], alone['packed'])
        bits = unpack_bits(found['packed'], jobs.NUM_CLASSES)
        assert torch.equal(bits.sum(0), found['counts'])


def test_each_process_names_the_images_of_all(results):
    """The log is that of the first process; the bad image may be another's."""
    first, *others = results['bad_step']
    assert first == others[0] == others[1]
    assert first == (
        'loss_cls is inf in epoch 1, iteration 5, images of process 0: 0 (0.jpg), '
        '1 (1.jpg); of process 1: 10 (0.jpg), 11 (1.jpg); not finite already as '
        'input: 11 (1.jpg); of process 2: 20 (0.jpg), 21 (1.jpg)'
    )
