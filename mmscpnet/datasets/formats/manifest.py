"""What a converter has done: counts, check sums and command, and their comparison."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Union

from rich.console import Console
from rich.table import Table

from mmscpnet.version import __version__


def write_manifest(
    path: Union[str, Path],
    *,
    splits: Mapping[str, dict],
    inputs: Sequence[Path],
    command: Sequence[str],
    **extra,
) -> None:
    """Write ``manifest.json``.

    The same arguments and the same inputs give the same bytes: there is no time and no
    host name in the file. It appears whole or not at all.

    Args:
        path: the file; one that exists is replaced.
        splits: :attr:`AnnotationWriter.statistics` of each split.
        inputs: the annotation files that were read; their SHA-256 are written.
        command: the command line, program first. ``--overwrite`` is left out: it says
            nothing of what is written, and a second run cannot do without.
        **extra: further entries, such as the options that shaped the labels.
    """
    path = Path(path)
    content = dict(
        tool=f'mmscpnet {__version__}',
        command=[str(word) for word in command if word != '--overwrite'],
        **extra,
        splits=dict(splits),
        inputs={Path(name).as_posix(): file_sha256(name) for name in inputs},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        temporary.write_text(_format(content) + '\n', encoding='utf-8', newline='\n')
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def file_sha256(path: Union[str, Path]) -> str:
    """SHA-256 of a file, in hexadecimal, as ``sha256sum`` prints it."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def check_counts(
    expected: Mapping[str, Mapping[str, int]],
    found: Mapping[str, Mapping],
    allow_mismatch: bool = False,
    quiet: bool = False,
) -> None:
    """Compare counts with the published ones and show both in a table.

    Args:
        expected: the published numbers by split and count, such as
            ``{'train': {'images': 82081}}``.
        found: the same counts, and maybe others, for instance
            :attr:`AnnotationWriter.statistics`.
        allow_mismatch: show the differences but go on.
        quiet: show the table only where something differs.

    Raises:
        ValueError: a number differs and ``allow_mismatch`` is false.
    """
    table = Table(title='Published counts')
    table.add_column('split')
    table.add_column('count')
    table.add_column('expected', justify='right')
    table.add_column('found', justify='right')
    table.add_column('')
    wrong = []
    for split, counts in expected.items():
        for name, number in counts.items():
            actual = found.get(split, {}).get(name)
            shown = 'none' if actual is None else f'{actual:,}'
            if actual != number:
                wrong.append(f'{split} {name}: expected {number:,}, found {shown}')
            mark = '[green]same' if actual == number else '[bold red]DIFFERS'
            table.add_row(split, name, f'{number:,}', shown, mark)
    if wrong or not quiet:
        Console(stderr=bool(wrong)).print(table)
    if wrong and not allow_mismatch:
        raise ValueError(
            'the counts differ from the published ones: '
            + '; '.join(wrong)
            + '. Is the download complete, and the right version? --allow-mismatch '
            'converts it as it is'
        )


def _format(value, indent: str = '') -> str:
    """JSON in which a dictionary of mere numbers stands on one line."""
    if not isinstance(value, dict) or all(
        isinstance(item, (int, float)) for item in value.values()
    ):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + '  '
    rows = [
        f'{inner}{json.dumps(str(key), ensure_ascii=False)}: {_format(item, inner)}'
        for key, item in value.items()
    ]
    return '{\n' + ',\n'.join(rows) + '\n' + indent + '}'
