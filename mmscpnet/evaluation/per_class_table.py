"""The per-class results as a text table."""

import io
import shutil
from collections.abc import Sequence
from typing import Optional

from rich import box
from rich.console import Console
from rich.table import Table

# Columns of a row: a name, three counts and four percentages.
HEADER = ('class', 'AP', 'pos', 'known', 'P', 'R', 'F1')
NAME_WIDTH = 24


def format_per_class_table(
    rows: Sequence[dict], title: str = '', width: Optional[int] = None
) -> str:
    """Lay out the classes in as many columns of rows as the width allows.

    Args:
        rows (Sequence[dict]): Per class ``name``, ``AP`` (percent or None),
            ``num_positive``, ``num_known``, ``precision``, ``recall``, ``f1``
            (percent), in the order to print.
        title (str): Above the table.
        width (int, optional): In characters. Defaults to the terminal's, at
            least 80.

    Returns:
        str: The table, plain text.
    """
    width = width or max(80, shutil.get_terminal_size((120, 24)).columns)
    longest = max((len(row['name']) for row in rows), default=0)
    name_width = min(NAME_WIDTH, max(len(HEADER[0]), longest))
    # a number column is 6 wide and has 1 + 1 + 1 characters of frame
    block = name_width + 3 + (len(HEADER) - 1) * 8 + 2
    # side by side only when there is more than a screenful to show
    blocks = min(max(1, width // block), max(1, -(-len(rows) // 25)))
    per_block = max(1, -(-len(rows) // blocks))
    parts = [
        _lines(rows[i : i + per_block], name_width, block)
        for i in range(0, len(rows), per_block)
    ]
    height = max(len(part) for part in parts)
    padded = [
        [line.ljust(block) for line in part] + [' ' * block] * (height - len(part))
        for part in parts
    ]
    body = [' '.join(line).rstrip() for line in zip(*padded)]
    return '\n'.join(([title] if title else []) + body)


def _lines(rows: Sequence[dict], name_width: int, width: int) -> list[str]:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(HEADER[0], no_wrap=True, overflow='ellipsis', width=name_width)
    for name in HEADER[1:]:
        table.add_column(name, justify='right', no_wrap=True, min_width=5)
    for row in rows:
        # Names are data, not markup: "[CLS]" is a valid one.
        table.add_row(
            row['name'].replace('[', '\\['),
            '-' if row['AP'] is None else f'{row["AP"]:.1f}',
            str(row['num_positive']),
            str(row['num_known']),
            *(f'{row[key]:.1f}' for key in ('precision', 'recall', 'f1')),
        )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, legacy_windows=False).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
