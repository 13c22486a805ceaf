"""Sorting text that does not fit into memory."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice

LINES_IN_MEMORY = 1_000_000


def sorted_lines(
    lines: Iterable[str], lines_in_memory: int = LINES_IN_MEMORY
) -> Iterator[str]:
    """Yield lines in order, keeping only some of them in memory.

    Sorted portions go to temporary files and are merged from there.

    Args:
        lines: each with its line end, which the last may lack.
        lines_in_memory: how many are sorted at a time.
    """
    lines = (line if line.endswith('\n') else line + '\n' for line in lines)
    with ExitStack() as stack:
        portions = []
        while portion := sorted(islice(lines, lines_in_memory)):
            file = stack.enter_context(
                tempfile.TemporaryFile('w+', encoding='utf-8', newline='')
            )
            file.writelines(portion)
            file.seek(0)
            portions.append(file)
        yield from heapq.merge(*portions)
