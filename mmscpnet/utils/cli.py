"""What ``tools/train.py`` and ``tools/test.py`` have in common."""

import argparse
import os
import tempfile
from pathlib import Path

from mmscpnet.utils.cfg_options import merge_options
from mmscpnet.utils.checkpoint import check_file
from mmscpnet.utils.processes import check_launcher, prepare_cpu_processes

CFG_OPTIONS_HELP = (
    'override settings of the config, as key=value pairs. A list is written '
    'key="[a,b]" or key=a,b; nested lists and tuples key="[(a,b),(c,d)]"; quotes are '
    'needed and white space is not allowed.'
)
MMENGINE_HOOKS = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)
DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that training and testing share."""
    from mmengine.config import DictAction

    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=CFG_OPTIONS_HELP
    )
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='set pin_memory=False in all dataloaders',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    # torch.distributed.launch passes --local-rank, older versions --local_rank.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def add_inference_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of tools that predict photos and write files."""
    from mmengine.config import DictAction

    parser.add_argument(
        '--overwrite', action='store_true', help='replace files that are there'
    )
    parser.add_argument(
        '--batch-size', type=int, default=16, help='photos at once (default: 16)'
    )
    parser.add_argument('--device', help='cpu, cuda:0, ... (default: a GPU if any)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=CFG_OPTIONS_HELP
    )


def load_config(args: argparse.Namespace):
    """Read the config and apply ``--cfg-options``, launcher and work folder.

    The options come first, so that what follows sees the settings as they will be.

    Args:
        args (Namespace): With ``config``, ``cfg_options``, ``launcher``,
            ``local_rank`` and ``work_dir``.

    Returns:
        Config: The merged config.

    Raises:
        FileNotFoundError: If the config file does not exist.
        ValueError: If the launcher cannot work here.
    """
    from mmengine.config import Config

    check_file(args.config, 'The config file')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    cfg.launcher = args.launcher
    check_launcher(cfg)
    # Command line, then config, then the name of the config file.
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    return cfg


def set_dataloader_defaults(cfg, args: argparse.Namespace) -> None:
    """Fill in the dataloader settings that configs leave out.

    Pinned memory is the default where there is a GPU to copy to, persistent workers
    where there are workers; the samples are stacked by MMEngine's
    ``default_collate``. What a config says stays, except that persistent workers
    without workers, which torch refuses, are turned off.

    Args:
        cfg (Config): Changed in place.
        args (Namespace): With ``no_pin_memory`` and, for training,
            ``no_persistent_workers``.
    """
    import torch

    for name in DATALOADERS:
        loader = cfg.get(name)
        if not loader:
            continue
        loader.setdefault('pin_memory', torch.cuda.is_available())
        loader.setdefault('persistent_workers', True)
        loader.setdefault('collate_fn', dict(type='default_collate'))
        if args.no_pin_memory:
            loader.pin_memory = False
        if (
            getattr(args, 'no_persistent_workers', False)
            or loader.get('num_workers', 0) == 0
        ):
            loader.persistent_workers = False


def require_accelerator(option: str) -> None:
    """Refuse mixed precision on a CPU.

    Raises:
        ValueError: If MMEngine would run on the CPU.
    """
    from mmengine.device import get_device

    if get_device() == 'cpu':
        raise ValueError(
            f'{option} needs a GPU or another accelerator: MMEngine has no mixed '
            f'precision on a CPU, and none was found. Leave {option} out.'
        )


def check_work_dir(folder: str) -> None:
    """Make the work folder and see whether a file can be written in it.

    Args:
        folder (str): The work folder.

    Raises:
        ValueError: If it cannot be made or written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # A full disk takes the file, but not what is in it.
            file.write(bytes(1 << 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ValueError(
            f'The work folder {str(folder)!r} cannot be written: {error}. Choose '
            'another by --work-dir, or make room.'
        ) from error


def build_runner(cfg):
    """Build the Runner, or the class that ``runner_type`` names.

    Raises:
        ValueError: If the config asks for what MMEngine compiles.
    """
    # The import makes the scope known to MMEngine, also for configs without
    # custom_imports.
    from mmengine.runner import Runner

    from mmscpnet.registry import RUNNERS

    if cfg.get('compile'):
        raise ValueError(
            f'compile={cfg.compile!r} makes MMEngine compile the training step with '
            'its optimiser, log and hooks, which fails. To compile the image encoder '
            'set model.compile_backbone=True, or to options of torch.compile'
        )
    prepare_cpu_processes(cfg)
    # MMEngine drops its own default hooks by None, but stumbles over any other's.
    hooks = cfg.get('default_hooks') or {}
    for name in [n for n, hook in hooks.items() if hook is None]:
        if name not in MMENGINE_HOOKS:
            del hooks[name]
    # MMEngine refuses both; by_epoch is what a config sets that inherits the type.
    train_cfg = cfg.get('train_cfg') or {}
    if 'type' in train_cfg and 'by_epoch' in train_cfg:
        del train_cfg['by_epoch' if train_cfg['by_epoch'] else 'type']
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
