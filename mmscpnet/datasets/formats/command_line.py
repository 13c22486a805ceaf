"""What the converters of ``tools/dataset_converters`` have in common."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from .conversion import Conversion, refuse_used_folder


def converter_parser(description: str, root_help: str) -> argparse.ArgumentParser:
    """A parser with the arguments that all converters take.

    Args:
        description: what is converted.
        root_help: what folder the first argument is.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('root', type=Path, help=root_help)
    parser.add_argument(
        '--out',
        type=Path,
        help='folder for <split>.json, the class names and manifest.json; '
        'ROOT/multilabel by default, where the configs look',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace what an earlier run has written to the folder',
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='show the comparison with the published counts also where they agree',
    )
    parser.add_argument(
        '--allow-mismatch',
        action='store_true',
        help='go on where the counts differ from the published ones',
    )
    return parser


def parse_converter_args(
    parser: argparse.ArgumentParser, tool: str, argv: Optional[Sequence[str]]
) -> argparse.Namespace:
    """Parse; fill in ``out``, add ``command``, and refuse folders that do not fit.

    Args:
        parser: of :func:`converter_parser`.
        tool: file name of the program.
        argv: its arguments, those of the process by default.

    Raises:
        FileNotFoundError: ``root`` is not a folder.
        ValueError: ``out`` is not empty.
    """
    args = parser.parse_args(argv)
    if not args.root.is_dir():
        raise FileNotFoundError(f'there is no folder at {args.root}')
    args.out = args.out or args.root / 'multilabel'
    # Now, not after minutes of reading.
    refuse_used_folder(args.out, args.overwrite)
    arguments = sys.argv[1:] if argv is None else argv
    args.command = [f'tools/dataset_converters/{tool}', *map(str, arguments)]
    return args


def open_conversion(
    args: argparse.Namespace, classes: Sequence[str], **kwargs
) -> Conversion:
    """The :class:`Conversion` that the arguments ask for."""
    return Conversion(
        args.out, classes, args.command, overwrite=args.overwrite, **kwargs
    )


def finish_conversion(
    run: Conversion, args: argparse.Namespace, inputs: Sequence[Path], **kwargs
) -> None:
    """:meth:`Conversion.finish` as the arguments ask for it."""
    run.finish(inputs, allow_mismatch=args.allow_mismatch, check=args.check, **kwargs)
