"""Train a model from a config file: ``python tools/train.py CONFIG``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    # A checkout works without installation, from any folder.
    sys.path.insert(0, str(ROOT))

from mmscpnet.utils import checkpoint, cli  # noqa: E402

# What CheckpointHook writes; only these are looked for and removed.
CHECKPOINT_PATTERNS = (*checkpoint.RESUMABLE_PATTERNS, 'best_*.pth', 'last_checkpoint')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint; without a path, from the latest one in the '
        'work folder',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='remove the checkpoints of a former run from the work folder and start '
        'again',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train with automatic mixed precision'
    )
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not evaluate during training',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rates by batch size / auto_scale_lr.base_batch_size',
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='set persistent_workers=False in all dataloaders',
    )
    parser.add_argument('--seed', type=int, help='random seed (randomness.seed)')
    parser.add_argument(
        '--deterministic',
        action='store_true',
        help='let cuDNN use deterministic algorithms only (randomness.deterministic)',
    )
    cli.add_common_arguments(parser)
    args = parser.parse_args(argv)
    if args.resume and args.overwrite:
        parser.error('--resume and --overwrite exclude each other')
    return args


def merge_args(cfg, args: argparse.Namespace) -> None:
    """Write what the command line says into the config.

    Raises:
        FileNotFoundError: If the checkpoint to resume from does not exist.
        ValueError: If it is damaged, or a flag does not fit the machine or config.
    """
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None

    if args.amp:
        cli.require_accelerator('--amp')
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
            raise ValueError(
                f"--amp replaces optim_wrapper.type 'OptimWrapper', but the config has "
                f'{kind!r}. Configure mixed precision there.'
            )
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')

    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if cfg.get('load_from'):
        role = 'The checkpoint to resume from' if cfg.get('resume') else 'load_from'
        checkpoint.check_whole(cfg.load_from, role)

    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr') or 'base_batch_size' not in cfg.auto_scale_lr:
            raise ValueError(
                '--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in '
                'the config: the batch size its learning rates were chosen for.'
            )
        cfg.auto_scale_lr.enable = True

    randomness = dict(cfg.get('randomness') or {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    if args.deterministic:
        randomness['deterministic'] = True
    if randomness:
        cfg.randomness = randomness

    cli.set_dataloader_defaults(cfg, args)


def former_checkpoints(cfg, overwrite: bool) -> list:
    """Checkpoints of a former run that this one would overwrite.

    Args:
        cfg (Config): With ``work_dir``, ``resume`` and ``load_from``.
        overwrite (bool): Whether the user has agreed.

    Returns:
        list[Path]: The files to remove before training starts; empty when resuming.

    Raises:
        ValueError: If there are any and the user has not agreed, or if the file to
            start from is among them.
    """
    if cfg.get('resume'):
        return []
    folder = Path(cfg.work_dir)
    former = sorted(p for tmpl in CHECKPOINT_PATTERNS for p in folder.glob(tmpl))
    if former and not overwrite:
        raise ValueError(
            f'The work folder {str(folder)!r} holds {len(former)} checkpoint file(s) '
            f'of a former run, such as {former[0].name}. Go on with it by --resume, '
            'start again and remove them by --overwrite, or name another folder by '
            '--work-dir.'
        )
    start = cfg.get('load_from')
    if start and Path(start).resolve() in [path.resolve() for path in former]:
        raise ValueError(
            f'--overwrite would remove {start!r}, which load_from starts from. Train '
            'in another folder with --work-dir.'
        )
    return former


def find_latest(cfg) -> list:
    """Name the checkpoint to resume from, if the config leaves that open.

    Returns:
        list[str]: Warnings about damaged checkpoints.
    """
    if not cfg.get('resume') or cfg.get('load_from'):
        return []
    with checkpoint.explain_refused_checkpoint():
        path, warnings = checkpoint.latest_checkpoint(cfg.work_dir)
    if path is not None:
        cfg.load_from = str(path)
        return [f'{warning} Going on from {path}.' for warning in warnings]
    return warnings


def main(argv=None) -> None:
    args = parse_args(argv)
    cfg = cli.load_config(args)
    merge_args(cfg, args)
    former = former_checkpoints(cfg, args.overwrite)

    checkpoint.forbid_pickled_code()
    warnings = find_latest(cfg)
    cli.check_work_dir(cfg.work_dir)
    runner = cli.build_runner(cfg)
    for warning in warnings:
        runner.logger.warning(warning)
    if runner.rank == 0:
        for path in former:
            path.unlink()
    with checkpoint.explain_refused_checkpoint():
        runner.train()


if __name__ == '__main__':
    main()
