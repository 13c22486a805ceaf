"""A checkpoint knows its labels: what other ones are told, and what may be taken."""

import pytest
import torch
from mmengine.logging import MMLogger

from mmscpnet.utils.checkpoint import read_checkpoint
from tests.end_to_end.tiny_run import CLASSES, write_tiny_run

ONE_EPOCH = [
    'train_cfg.max_epochs=1',
    'default_hooks.checkpoint.by_epoch=True',
]
ALLOW = 'default_hooks.label_check.allow_other_labels=True'


@pytest.fixture(scope='module')
def trained(tool, tmp_path_factory):
    """Config and checkpoint of four labels."""
    folder = tmp_path_factory.mktemp('trained')
    config = write_tiny_run(folder)
    tool('train.py').main([str(config), '--cfg-options', *ONE_EPOCH])
    return config, folder / 'work' / 'epoch_1.pth'


@pytest.fixture
def run(tool, trained, tmp_path):
    """Use the checkpoint with a config of other labels."""
    _, checkpoint = trained

    def run(way, classes, *options, path=checkpoint):
        # Loggers are named by the second: a run of the same one would take over that
        # of the test before, which prints to what pytest captured there.
        MMLogger._instance_dict.clear()
        config = write_tiny_run(tmp_path / way, classes=classes)
        work = ['--work-dir', str(tmp_path / 'work' / way)]
        options = ['--cfg-options', *ONE_EPOCH, *options]
        if way in ('test', 'tta'):
            tta = ['--tta'] if way == 'tta' else []
            tool('test.py').main([str(config), str(path), *work, *tta, *options])
        elif way == 'resume':
            tool('train.py').main([str(config), '--resume', str(path), *work, *options])
        else:
            tool('train.py').main([str(config), *work, *options, f'load_from={path}'])
        return tmp_path / 'work' / way

    return run


OTHER = {
    'order': (
        ['cat', 'sky', 'sea', 'dog'],
        r'same labels in another order, from label 1 on: .*dog.*found, .*sky.*expected',
    ),
    'name': (
        ['cat', 'dog', 'sea', 'sun'],
        r"label 3 is 'sky', expected 'sun'; "
        r"not expected: \['sky'\]; missing: \['sun'\]",
    ),
    'fewer': (
        ['cat', 'dog', 'sky'],
        r"4 labels found, 3 expected; not expected: \['sea'\]",
    ),
    'more': (
        [*CLASSES, *(f'label {i}' for i in range(300))],
        # Not all three hundred of them.
        r"4 labels found, 304 expected; missing: \['label 0', .*'label 4'\]\. Use",
    ),
}


@pytest.mark.parametrize('way', ['test', 'tta', 'resume', 'load_from'])
def test_another_order_is_refused(run, way):
    classes, message = OTHER['order']
    with pytest.raises(ValueError, match=message):
        run(way, classes)


@pytest.mark.parametrize('kind', ['name', 'fewer', 'more'])
def test_the_difference_is_shown(run, kind):
    classes, message = OTHER[kind]
    with pytest.raises(ValueError, match=f'other labels.*{message}'):
        run('test', classes)


@pytest.mark.parametrize('kind', ['order', 'fewer'])
def test_what_is_common_may_be_taken(run, trained, capfd, kind):
    """By option: backbone and GCN come from the checkpoint, the labels' own do not."""
    still = [
        'optim_wrapper.optimizer.lr=1e-30',
        'optim_wrapper.paramwise_cfg.gcn_lr=1e-30',
    ]
    folder = run('load_from', OTHER[kind][0], ALLOW, *still)
    printed = capfd.readouterr()
    (line,) = {
        line.split('starts anew: ')[1]
        for line in (printed.out + printed.err).splitlines()
        if 'starts anew' in line
    }
    named = line.split(', ')
    graph = [f'head.label_graph.{x}' for x in ('indices', 'reweighted', 'normalized')]
    for key in [*graph, 'head.label_graph._extra_state', 'head.pessl._extra_state']:
        assert key in named
    assert not any(key.startswith(('backbone', 'head.association')) for key in named)
    old, new = (
        read_checkpoint(path)['state_dict']
        for path in (trained[1], folder / 'epoch_1.pth')
    )
    for key, value in old.items():
        if key not in named and 'running' not in key and 'num_batches' not in key:
            torch.testing.assert_close(value, new[key], rtol=0, atol=1e-25)


def test_a_run_is_never_resumed_with_other_labels(run):
    with pytest.raises(ValueError, match='another order'):
        run('resume', OTHER['order'][0], ALLOW)


def test_same_labels(run):
    run('test', CLASSES, ALLOW)
    run('tta', CLASSES)


def test_another_graph_is_named(run, capfd):
    run('test', CLASSES, 'model.head.label_graph.topk=3')
    printed = capfd.readouterr()
    message = (
        'model.head.label_graph differs between checkpoint and config: topk 2 / 3. '
        'That of the checkpoint is used'
    )
    assert message in printed.out + printed.err


@pytest.mark.parametrize('known_from', ['dataset_meta', None])
def test_checkpoints_of_others(run, trained, tmp_path, known_from):
    """Classes of the training set are compared; where nothing is said, nothing is."""
    content = read_checkpoint(trained[1])
    labels = content['meta'].pop('labels')
    assert labels['classes'] == CLASSES
    assert labels['graphs']['label_graph']['topk'] == 2
    weights = content['state_dict']
    for key in [key for key in weights if 'label_graph' in key]:
        # It would object itself.
        del weights[key]
    if known_from is None:
        content = dict(state_dict=weights)
    path = tmp_path / 'other.pth'
    torch.save(content, path)
    classes, message = OTHER['order']
    if known_from is None:
        run('test', classes, path=path)
    else:
        with pytest.raises(ValueError, match=message):
            run('test', classes, path=path)
