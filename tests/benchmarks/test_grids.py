"""Every grid of this repository loads, and each of its methods trains, shrunken."""

import functools
import inspect

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample

from mmscpnet.benchmarks import cell_config, load_grid
from mmscpnet.models.losses.base import PerImageLoss
from mmscpnet.registry import LABEL_SOURCES, MODELS
from tests.shared import ROOT
from tests.shrunken_configs import shrink_config

load_grid = functools.cache(load_grid)
GRIDS = sorted((ROOT / 'tools' / 'benchmarks' / 'grids').glob('*.py'))


def methods():
    """One cell of each method that is not a config as it is.

    Configs have tests of their own. Where rows of a grid change the same settings of
    several configs, or the same ones to other numbers, the first row stands for them.
    """
    found = []
    for path in GRIDS:
        seen = set()
        for cell in load_grid(path, seeds=1).cells:
            changes = {
                key: 'a number' if type(value) in (int, float) else repr(value)
                for key, value in cell.options.items()
                if 'dataloader' not in key
            }
            if changes and str(changes) not in seen:
                found.append(pytest.param(cell, id=f'{path.stem}-{cell.row}'))
                seen.add(str(changes))
    return found


@pytest.mark.parametrize('path', GRIDS, ids=lambda path: path.stem)
def test_cells_differ(path):
    """No two rows of a column are the same run by mistake."""
    cells = load_grid(path, seeds=1).cells
    same = {(c.column, str(c.config), str(sorted(c.options.items()))) for c in cells}
    assert len(same) == len(cells)


@pytest.mark.parametrize('path', GRIDS, ids=lambda path: path.stem)
def test_options_arrive(path):
    """The options of each row and column are in a config, below keys it has."""
    seen = set()
    for cell in load_grid(path, seeds=1).cells:
        if {cell.row, f'column {cell.column}'} <= seen:
            continue
        seen.update([cell.row, f'column {cell.column}'])
        plain, changed = Config.fromfile(cell.config), cell_config(cell)
        for key, value in cell.options.items():
            *parents, last = key.split('.')
            before, after = plain, changed
            for name in parents:
                before, after = (
                    node[int(name)] if isinstance(node, list) else node[name]
                    for node in (before, after)
                )
            after = after[int(last)] if isinstance(after, list) else after[last]
            if isinstance(value, dict):
                wanted = {k: v for k, v in value.items() if k != '_delete_'}
                assert wanted.items() <= dict(after).items(), (cell.name, key)
            else:
                assert after == value, (cell.name, key)


@pytest.mark.parametrize('column', ['COCO', 'NUS'])
def test_switches_make_up_the_released_code(column):
    """All rows of a switch together are the config that follows the released code."""
    path = GRIDS[0].parent / 'paper_or_released.py'
    cells = load_grid(path, seeds=1).cells
    wanted = {'COCO': 'COCO', 'NUS': 'COCO NUS'}[column].split()
    options = {
        key: value
        for cell in cells
        if cell.column in wanted and cell.row != 'Learning rate of SAM as of the rest'
        for key, value in cell.options.items()
    }
    paper, released = (
        next(c for c in cells if c.row == row and c.column == column)
        for row in ('Paper', 'Released code')
    )
    together = cell_config(paper._replace(options=options)).to_dict()
    expected = cell_config(released).to_dict()
    if column == 'NUS':
        source = expected['model']['head']['label_graph']['source']
        source['path'] = source['path'].replace('nuswide', 'coco')
    assert together == expected


def check_sources(model):
    """Label sources get arguments they take; shrinking leaves out what needs a file."""
    for node in typed_nodes(model):
        kind, arguments = node['type'], {k: v for k, v in node.items() if k != 'type'}
        if kind.endswith(('Source', 'File', 'Encoder', 'Vectors', 'occurrence')):
            found = LABEL_SOURCES.get(kind) or MODELS.get(kind)
            inspect.signature(found).bind(**arguments)


def typed_nodes(node):
    """Every dict with a type in a config."""
    if isinstance(node, dict):
        if 'type' in node:
            yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from typed_nodes(value)


@pytest.mark.parametrize('cell', methods())
def test_method_trains(cell, tmp_path):
    """Two steps on noise reach every parameter that may learn."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    init_default_scope('mmscpnet')
    config = cell_config(cell)
    check_sources(config.model.to_dict())
    config = shrink_config(config, tmp_path)
    model = MODELS.build(config.model)
    model.init_weights()
    head = model.head
    if head.pessl is not None:
        head.pessl.set_num_samples(4)
    if isinstance(head.loss_module, PerImageLoss):
        head.loss_module.set_num_samples(4, head.num_classes)
    optim = build_optim_wrapper(model, config.optim_wrapper)
    samples = []
    for index in range(4):
        score = torch.full((head.num_classes,), -1)
        score[index] = 1
        samples.append(DataSample(gt_score=score, metainfo=dict(sample_idx=index)))
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    # CLIP's image tower takes one size only.
    of_clip = config.model.backbone.type.startswith('OpenCLIP')
    side = config.model.backbone.get('img_size', 224) if of_clip else 64
    # An optimiser step may take several batches.
    batches = config.optim_wrapper.get('accumulative_counts', 1)
    for _ in range(2 * batches):
        views = [torch.randint(0, 256, (4, 3, side, side)).float() for _ in range(3)]
        losses = model.train_step(dict(inputs=views, data_samples=samples), optim)
        assert torch.isfinite(losses['loss'])
    unmoved = {
        name
        for name, value in model.named_parameters()
        if value.requires_grad and torch.equal(value, before[name])
    }
    assert not {name for name in unmoved if name.startswith('head.')}
