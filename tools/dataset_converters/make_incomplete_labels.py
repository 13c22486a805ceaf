"""Thin the labels of a file: ``make_incomplete_labels.py FILE --protocol NAME``.

FILE is the JSON that the converters write, or a list with lines ``name.jpg,3 17``.
Writes ``<split>_<protocol>[_<option>-<value>].json`` beside it, in the same format
(labels that are not listed are unknown); ``.manifest.json`` with the counts of each
class before and after; and ``.png``, which shows them. ``spml-largeloss`` also writes
``<split>_spml-largeloss_holdout.json``: the fully labelled photos that choose the
epoch.

The same labels come without a file from the transform
``dict(type='LabelProtocol', protocol=..., ...)``.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'mmscpnet' / '__init__.py').is_file():
    sys.path.insert(0, str(ROOT))

from mmscpnet.datasets.formats.incomplete import (  # noqa: E402
    default_name,
    print_statistics,
    write_incomplete,
)
from mmscpnet.datasets.formats.label_file import read_label_file  # noqa: E402
from mmscpnet.datasets.protocols import (  # noqa: E402
    PROTOCOLS,
    build_protocol,
    protocol_options,
)

MEANING = dict(
    seed='of the draw',
    ratio='share that stays known, in [0, 1]',
    rule='how many positives stay: splc (as its lists) or each (each with the ratio)',
    held_out='share of the photos that keeps all labels',
    shots='labelled photos of each class',
    power='0: all classes alike; 1: known as often as frequent',
    wrong_positives='share of the negatives that become positive',
    wrong_negatives='share of the positives that become negative',
    ann_file='list with the positives that stay',
)


def describe_options(name: str) -> str:
    """``ratio, seed=0``: the options of a protocol with their defaults."""
    parts = []
    for option, field in protocol_options(name).items():
        flag = '--' + option.replace('_', '-')
        needed = field.default is dataclasses.MISSING
        parts.append(flag if needed else f'{flag} [{field.default}]')
    return ', '.join(parts)


def describe_protocol(name: str) -> str:
    """What a protocol does, in one sentence."""
    return PROTOCOLS[name].__doc__.split('\n')[0]


class ShowNames(argparse.Action):
    """Print the protocols and leave, as ``--version`` does."""

    def __call__(self, parser, *_) -> None:
        table = Table(title='Protocols; defaults in brackets', show_lines=True)
        for column in ('protocol', 'what stays known', 'options', 'source'):
            table.add_column(column, overflow='fold')
        for name, protocol in PROTOCOLS.items():
            options = describe_options(name).replace('[', r'\[')
            table.add_row(name, describe_protocol(name), options, protocol.source)
        Console().print(table)
        parser.exit()


def parse_args(argv=None):
    lines = [
        f'  {name}\n    {describe_protocol(name)}\n    options: '
        f'{describe_options(name)}\n    source: {protocol.source}'
        for name, protocol in PROTOCOLS.items()
    ]
    parser = argparse.ArgumentParser(
        description='Make labels incomplete as the protocols of the field do',
        epilog='protocols (defaults in brackets):\n' + '\n'.join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('ann_file', type=Path, metavar='FILE', help='JSON or list')
    parser.add_argument('--protocol', choices=list(PROTOCOLS), required=True)
    parser.add_argument(
        '--show-names', action=ShowNames, nargs=0, help='list the protocols and leave'
    )
    options = {
        option: field
        for name in PROTOCOLS
        for option, field in protocol_options(name).items()
    }
    for option, field in options.items():
        takers = [name for name in PROTOCOLS if option in protocol_options(name)]
        parser.add_argument(
            '--' + option.replace('_', '-'),
            dest=f'option_{option}',
            type=field.type,
            metavar=field.type.__name__.upper(),
            help=f'{MEANING[option]} ({", ".join(takers)})',
        )
    parser.add_argument(
        '--classes', help='for a list: file with a name a line, or a known set'
    )
    parser.add_argument(
        '--out', type=Path, metavar='JSON', help='file to write, instead of the default'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the files of an earlier run'
    )
    args = parser.parse_args(argv)
    args.options = {
        option: getattr(args, f'option_{option}')
        for option in options
        if getattr(args, f'option_{option}') is not None
    }
    known = protocol_options(args.protocol)
    for option in args.options:
        if option not in known:
            parser.error(
                f'--protocol {args.protocol} does not take '
                f'--{option.replace("_", "-")}; it takes '
                f'{describe_options(args.protocol)}'
            )
    for option, field in known.items():
        if field.default is dataclasses.MISSING and option not in args.options:
            parser.error(
                f'--protocol {args.protocol} needs --{option.replace("_", "-")}'
            )
    if args.out is not None and args.out.suffix != '.json':
        parser.error(f'--out: the file must end with .json, found {args.out}')
    arguments = sys.argv[1:] if argv is None else argv
    program = 'tools/dataset_converters/make_incomplete_labels.py'
    args.command = [program, *map(str, arguments)]
    return args


def main(argv=None) -> None:
    """Thin the labels."""
    args = parse_args(argv)
    protocol = build_protocol(args.protocol, **args.options)
    source = read_label_file(args.ann_file, args.classes)
    out = args.out or args.ann_file.with_name(default_name(args.ann_file, protocol))
    statistics = write_incomplete(
        source, protocol, args.ann_file, out, args.command, args.overwrite
    )
    print_statistics(statistics)
    Console().print(
        f'Written: {", ".join(f"{name}.json" for name in list(statistics)[1:])}'
        f' in {out.parent}'
    )


if __name__ == '__main__':
    main()
