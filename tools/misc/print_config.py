"""Print a config with all its bases merged: ``print_config.py CONFIG``."""

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

    parser = argparse.ArgumentParser(description='Print the whole config')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('--save-path', help='write the config to this file too')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the file of --save-path'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help=cli.CFG_OPTIONS_HELP
    )
    args = parser.parse_args(argv)
    suffixes = ('.py', '.json', '.yml', '.yaml')
    if args.save_path and not args.save_path.endswith(suffixes):
        parser.error(f'--save-path must end with one of {suffixes}')
    return args


def main(argv=None) -> None:
    args = parse_args(argv)
    from mmengine.config import Config
    from rich.console import Console

    checkpoint.check_file(args.config, 'The config file')
    path = Path(args.save_path) if args.save_path else None
    if path and path.exists() and not args.overwrite:
        raise ValueError(
            f'{str(path)!r} exists already. Replace it by --overwrite, or name another '
            'file by --save-path.'
        )
    cfg = Config.fromfile(args.config)
    merge_options(cfg, args.cfg_options)
    # Markup off: square brackets of lists are not styles.
    Console(soft_wrap=True).print(cfg.pretty_text, markup=False)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(str(path))


if __name__ == '__main__':
    main()
