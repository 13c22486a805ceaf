"""Fill the feature banks of a config: ``python tools/extract_features.py CONFIG``.

Training with ``FeatureBankHook`` does the same on first use; this does it beforehand,
and can average the features of each label for a label graph.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint  # noqa: E402
from mmscpnet.utils.cfg_options import merge_options  # noqa: E402


def parse_args(argv=None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description='Compute the features of a frozen image encoder once'
    )
    parser.add_argument('config', help='path of a config with FeatureBankHook')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=['train', 'val', 'test'],
        default=['train', 'val', 'test'],
        help='whose photos; those that the config has, by default',
    )
    parser.add_argument(
        '--label-averages',
        metavar='FILE.npy',
        help='also average the test-view features of the training photos over the '
        'known positives of each label, for a label graph with FeatureFile',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, as key=value pairs',
    )
    return parser.parse_args(argv)


def bank_settings(cfg, name: str):
    """Settings of the config's FeatureBankHook for a split."""
    from mmscpnet.engine import FeatureBankHook

    hook = cfg.get('default_hooks', {}).get('feature_bank')
    if hook is None or not cfg.model.get('frozen_backbone'):
        raise ValueError(
            f'{cfg.filename}: a feature bank needs model.frozen_backbone=True and '
            "default_hooks.feature_bank=dict(type='FeatureBankHook')"
        )
    hook = {key: value for key, value in hook.items() if key != 'type'}
    settings = FeatureBankHook(**hook).settings
    return settings if name == 'train' else settings._replace(num_draws=1)


def write_label_averages(cfg, model, path: str) -> None:
    """Average features per label over training photos, as observed, test view."""
    import numpy as np
    import torch

    from mmscpnet.datasets import innermost_datasets
    from mmscpnet.datasets.observed import observed_targets
    from mmscpnet.feature_bank import open_or_extract, plan_views
    from mmscpnet.label_graph import average_features_per_label
    from mmscpnet.registry import DATASETS

    if Path(path).exists():
        raise ValueError(f'--label-averages: {path} exists; choose another name')
    view = next(innermost_datasets(DATASETS.build(cfg.val_dataloader.dataset)))
    features, targets = [], []
    for inner in innermost_datasets(DATASETS.build(cfg.train_dataloader.dataset)):
        targets.append(torch.from_numpy(observed_targets(inner)))
        inner.pipeline = view.pipeline
        plan = plan_views(view.pipeline.transforms)
        bank = open_or_extract(
            model, inner, plan, bank_settings(cfg, 'val'), 'train-test-view'
        )
        features.append(torch.from_numpy(np.array(bank[:, 0, 0])))
    averages = average_features_per_label(torch.cat(features), torch.cat(targets))
    partial = Path(f'{path}.partial')
    partial.parent.mkdir(parents=True, exist_ok=True)
    with open(partial, 'wb') as file:
        np.save(file, averages.numpy())
    os.replace(partial, path)
    print(f'{len(averages)} average features are in {path}')


def main(argv=None) -> None:
    """Extract."""
    args = parse_args(argv)
    checkpoint.check_file(args.config, 'config')
    if args.label_averages and not args.label_averages.endswith('.npy'):
        raise ValueError(f'--label-averages: a .npy file, found {args.label_averages}')
    checkpoint.forbid_pickled_code()
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmscpnet.feature_bank import draw_from_bank
    from mmscpnet.registry import DATASETS, MODELS

    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    settings = {name: bank_settings(cfg, name) for name in args.splits}
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    for name in args.splits:
        loader = cfg.get(f'{name}_dataloader')
        if loader is not None:
            dataset = DATASETS.build(loader.dataset)
            draw_from_bank(model, dataset, settings[name], name)
    if args.label_averages:
        write_label_averages(cfg, model, args.label_averages)


if __name__ == '__main__':
    main()
