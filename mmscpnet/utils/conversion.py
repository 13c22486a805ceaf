"""What the model converters have in common: build, and write whole or not at all."""

import argparse
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, Optional

from mmscpnet.utils.cfg_options import merge_options
from mmscpnet.utils.checkpoint import check_file
from mmscpnet.utils.cli import CFG_OPTIONS_HELP


def converter_arguments(
    parser: argparse.ArgumentParser, source: str, argv=None
) -> argparse.Namespace:
    """``SOURCE CONFIG OUT``; what exists is kept.

    Raises:
        FileNotFoundError: SOURCE or CONFIG is not a file.
        ValueError: OUT is there already.
    """
    from mmengine.config import DictAction

    parser.add_argument('source', help=source)
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('out', help='file to write')
    parser.add_argument('--overwrite', action='store_true', help='replace OUT')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    check_file(args.source, 'SOURCE')
    check_file(args.config, 'The config file')
    if Path(args.out).exists() and not args.overwrite:
        raise ValueError(f'{args.out!r} exists already. Replace it by --overwrite')
    return args


def build_bare_model(config: str, options: Optional[dict]):
    """The model of a config, with random weights and nothing downloaded."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmscpnet.registry import MODELS

    cfg = Config.fromfile(config)
    merge_options(cfg, options)
    init_default_scope(cfg.get('default_scope', 'mmscpnet'))
    return MODELS.build(cfg.model)


def save_converted(model, state: dict, args: argparse.Namespace) -> None:
    """Write converted weights with the labels they are for."""
    meta = dict(dataset_meta=dict(classes=list(model.head.classes)))
    save_whole(dict(meta=meta, state_dict=state), args.out)
    print(f'{args.out}: {len(state)} entries')


def save_whole(content: dict[str, Any], path) -> None:
    """``torch.save`` to another name, which is then given its own."""
    import torch

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix='.save-') as folder:
        partial = Path(folder, path.name)
        torch.save(content, partial)
        os.replace(partial, path)


def save_hashed(content: dict[str, Any], path) -> Path:
    """Write a file whose name ends with the first 8 digits of its SHA-256.

    Raises:
        ValueError: it is there already.
    """
    import torch

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix='.save-') as folder:
        partial = Path(folder, path.name)
        torch.save(content, partial)
        digest = hashlib.sha256(partial.read_bytes()).hexdigest()[:8]
        final = path.with_name(f'{path.stem}-{digest}{path.suffix}')
        if final.exists():
            raise ValueError(f'{str(final)!r} exists already')
        os.replace(partial, final)
    return final
