"""Count operations and parameters of a model: ``get_flops.py CONFIG``.

Counts one image through ``forward(inputs, mode='tensor')``, that is up to the
logits. Weights are random: nothing is loaded and nothing downloaded.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402
from mmscpnet.utils.cfg_options import merge_options  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description='Count operations and parameters')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        default=[224, 224],
        help='height and width of the input in pixels, or one number for both',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    if len(args.shape) > 2 or min(args.shape) < 1:
        parser.error(f'--shape takes one or two positive numbers, got {args.shape}')
    return args


def without_download(node):
    """Turn off weights that a class loads when it is constructed.

    ``TIMMBackbone`` of mmpretrain does so with ``pretrained=True``; other weights
    come with ``init_weights()``, which is not called here.

    Args:
        node (dict | list | object): A model config, changed in place.

    Returns:
        dict | list | object: The same node.
    """
    if isinstance(node, dict):
        if node.get('pretrained') is True:
            node['pretrained'] = False
        for value in node.values():
            without_download(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            without_download(value)
    return node


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'The config file')

    from mmengine.analysis import get_model_complexity_info
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmscpnet.registry import MODELS

    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))

    model_cfg = without_download(cfg.model)
    if 'data_preprocessor' not in model_cfg and cfg.get('data_preprocessor'):
        model_cfg.data_preprocessor = cfg.data_preprocessor
    model = MODELS.build(model_cfg).eval()

    shape = (3, args.shape[0], args.shape[-1])
    info = get_model_complexity_info(model, shape)
    print(info['out_table'])
    print(f'Input shape: {shape}')
    print(f'Flops: {info["flops_str"]}')
    print(f'Params: {info["params_str"]}')
    print(f'Activations: {info["activations_str"]}')
    print(
        'Operations without a rule for counting are left out (warnings above); '
        'parts that a model computes once and keeps are counted as they run here.'
    )


if __name__ == '__main__':
    main()
