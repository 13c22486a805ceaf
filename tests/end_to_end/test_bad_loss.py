"""SCPNet on a batch that makes its loss infinite: what is said, what is kept."""

import pytest
import torch

from mmscpnet.utils.checkpoint import read_checkpoint
from mmscpnet.utils.cli import build_runner
from tests.end_to_end.tiny_run import load_tiny_run, write_tiny_run


def poison(runner, at):
    """From an iteration on, the consistency loss of a batch is not a number."""
    pessl = runner.model.head.pessl
    forward = pessl.forward

    def spoiled(*args):
        losses = forward(*args)
        if runner.iter == at:
            losses['loss_cst'] = losses['loss_cst'] * float('nan')
        return losses

    pessl.forward = spoiled


def make(tmp_path, **options):
    config = load_tiny_run(write_tiny_run(tmp_path), tmp_path / 'work', **options)
    return build_runner(config)


def test_the_term_and_the_images_are_named(tmp_path):
    runner = make(tmp_path)
    poison(runner, 5)
    with pytest.raises(FloatingPointError) as error:
        runner.train()
    message = str(error.value)
    assert message.startswith('loss_cst is nan in epoch 2, iteration 6, images ')
    for part in message.split('images ')[1].split('. Training')[0].split(', '):
        index, path = part.split(' ')
        assert path == f'({tmp_path}/photos/{index}.png)'
    names = sorted(path.name for path in (tmp_path / 'work').glob('iter_*'))
    assert names[-1] == 'iter_5.pth'


def test_pseudo_labels_survive_a_step_left_out(tmp_path, capfd):
    runner = make(tmp_path, **{'default_hooks.finite_loss.action': 'skip'})
    poison(runner, 9)
    runner.train()
    before, after, next_one = (
        read_checkpoint(tmp_path / 'work' / f'iter_{i}.pth') for i in (9, 10, 11)
    )
    for part in ('state_dict', 'ema_state_dict'):
        for key, value in before[part].items():
            assert torch.equal(value, after[part][key]), key
    key = 'head.pessl._extra_state'
    assert before['state_dict'][key].any()
    assert not torch.equal(after['state_dict'][key], next_one['state_dict'][key])
    printed = capfd.readouterr()
    assert 'loss_cst is nan in epoch 3' in printed.out + printed.err
