"""Pieces of Markdown."""

from collections.abc import Sequence


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: str = ''
) -> str:
    """A table whose cells may hold any name.

    Args:
        header: of each column.
        rows: of cells.
        align: a letter a column, ``l`` or ``r``; by default the first is left-aligned
            and the others are right-aligned.
    """
    align = align or 'l' + 'r' * (len(header) - 1)
    rules = [{'l': '---', 'r': '---:'}[letter] for letter in align]
    body = [[escape(str(cell)) for cell in row] for row in [header, *rows]]
    lines = [body[0], rules, *body[1:]]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def escape(text: str) -> str:
    """A text that Markdown does not take for a table cell or a line break."""
    return text.replace('|', '\\|').replace('\n', ' ')
