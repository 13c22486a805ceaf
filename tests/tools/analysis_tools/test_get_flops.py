"""``tools/analysis_tools/get_flops.py``."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmscpnet.registry import MODELS


def multiplications(model, size):
    """Multiply-adds of convolutions and linear layers, counted by hooks."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, *size))
    return total


def reported(text, name):
    line = next(line for line in text.splitlines() if line.startswith(f'{name}:'))
    number = line.split()[-1]
    return float(number[:-1]) * {'K': 1e3, 'M': 1e6, 'G': 1e9}[number[-1]]


@pytest.mark.parametrize('shape, size', [(['48'], (48, 48)), (['64', '32'], (64, 32))])
def test_counts(tool, config, capsys, shape, size):
    tool('analysis_tools/get_flops.py').main([str(config), '--shape', *shape])
    text = capsys.readouterr().out
    init_default_scope('mmscpnet')
    model = MODELS.build(Config.fromfile(config).model).eval()
    parameters = sum(p.numel() for p in model.parameters())
    assert reported(text, 'Params') == pytest.approx(parameters, rel=5e-3)
    # Normalisation and pooling add a little to the products counted here.
    products = multiplications(model, size)
    assert products < reported(text, 'Flops') < 1.1 * products


def test_nothing_is_downloaded(tool):
    module = tool('analysis_tools/get_flops.py')
    node = dict(type='A', parts=[dict(type='TIMMBackbone', pretrained=True)])
    module.without_download(node)
    assert node['parts'][0]['pretrained'] is False
    # A tag is only loaded in init_weights().
    node = dict(pretrained='openai')
    assert module.without_download(node) == dict(pretrained='openai')


@pytest.mark.parametrize('shape', [['1', '2', '3'], ['0']])
def test_wrong_shape(tool, config, capsys, shape):
    with pytest.raises(SystemExit):
        tool('analysis_tools/get_flops.py').main([str(config), '--shape', *shape])
    assert '--shape' in capsys.readouterr().err
