"""Metrics whose results are arrays: collected from all processes as such."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch
from mmengine.dist import (
    all_gather,
    broadcast_object_list,
    gather,
    get_dist_info,
    is_main_process,
)
from mmengine.evaluator import BaseMetric
from torch import Tensor

# Bytes that a process sends at once; bounds what is held twice.
BLOCK_BYTES = 1 << 26


class ArrayMetric(BaseMetric):
    """Base of metrics that keep a row of numbers for each image.

    ``process`` hands rows to :meth:`keep`, and the first process gets those of all as
    one tensor, in the order of the data set. mmengine would pickle an object for each
    image to a file or, on GPUs, to a padded byte tensor.

    Args:
        prefix (str, optional): See :class:`mmengine.evaluator.BaseMetric`.
    """

    # Names and types of what process() keeps; text (see names_to_bytes) is uint8.
    fields: dict[str, torch.dtype] = {}

    def __init__(self, prefix: Optional[str] = None) -> None:
        super().__init__(prefix=prefix)
        self.tables: dict[str, RowTable] = {}

    @property
    def num_rows(self) -> int:
        """Rows of this process so far."""
        return min((table.count for table in self.tables.values()), default=0)

    def keep(self, **rows: Tensor) -> None:
        """Copy rows (n, C) of every field."""
        for name, dtype in self.fields.items():
            self.tables.setdefault(name, RowTable(dtype)).append(rows[name])

    @abstractmethod
    def compute_metrics(self, results: dict[str, Tensor]) -> dict:
        """Metrics from the rows of all processes, on the first one."""

    def evaluate(self, size: int) -> dict:
        """Metrics of the whole data set; the same on every process.

        Args:
            size (int): Images of the data set. What the sampler has added for every
                process to have as many is left out.
        """
        own, self.tables = self.tables, {}
        results = {}
        for name, dtype in self.fields.items():
            table = own.pop(name, None) or RowTable(dtype)
            results[name] = gather_rows(table, size)
        metrics: list = [None]
        if is_main_process():
            prefix = f'{self.prefix}/' if self.prefix else ''
            computed = self.compute_metrics(results)
            metrics = [{prefix + key: value for key, value in computed.items()}]
        broadcast_object_list(metrics)
        return metrics[0]


class RowTable:
    """Rows that come one batch after the other, never held twice.

    Memory grows by the system's ``realloc``, which moves large blocks without a copy;
    a list of batches would have to be joined in the end.

    Args:
        dtype (torch.dtype): Of the rows; a wider one takes its place when it comes.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.count = 0
        self._memory: Optional[np.ndarray] = None

    @property
    def width(self) -> int:
        """Columns; -1 before the first row."""
        return -1 if self._memory is None else self._memory.shape[1]

    def append(self, rows: Tensor) -> None:
        """Copy some rows (n, C) to the end.

        Raises:
            ValueError: If they have another number of columns, unless it is text.
        """
        width = rows.shape[1]
        if self._memory is not None and width != self.width:
            check_widths({self.width, width}, self.dtype)
        width = max(width, self.width)
        self.convert(torch.promote_types(self.dtype, rows.dtype), width)
        end = self.count + len(rows)
        if end > len(self._memory):
            # refcheck: no view of it is kept anywhere
            self._memory.resize((end + end // 8, width), refcheck=False)
        self._memory[self.count : end, : rows.shape[1]] = rows.numpy()
        self.count = end

    def convert(self, dtype: torch.dtype, width: int) -> None:
        """Make the rows of another type, and wider, with zeros."""
        if self._memory is None or (self.dtype, self.width) != (dtype, width):
            name = str(dtype).removeprefix('torch.')
            memory = np.zeros((self.count, width), name)
            if self._memory is not None:
                memory[:, : self.width] = self._memory[: self.count]
            self._memory, self.dtype = memory, dtype

    def rows(self, count: int) -> Tensor:
        """The first rows, (count, C), without a copy."""
        return torch.from_numpy(self._memory[:count])


def check_widths(widths: set[int], dtype: torch.dtype) -> None:
    """Refuse rows of different length; those of text are filled up."""
    if len(widths) > 1 and dtype != torch.uint8:
        raise ValueError(f'samples have different numbers of classes: {sorted(widths)}')


def gather_rows(table: RowTable, size: int) -> Optional[Tensor]:
    """Rows of all processes as one tensor, on the first process.

    Row i of process r is the row number ``i * processes + r`` of the data set, as
    ``DefaultSampler`` deals it out.

    Args:
        table (RowTable): Of this process.
        size (int): Rows of the data set; rows beyond it are the sampler's padding.

    Returns:
        Tensor, optional: (N, C) on the CPU; None on the other processes.

    Raises:
        ValueError: If processes have different numbers of columns, unless it is text.
    """
    rank, world_size = get_dist_info()
    kept = min(table.count, max(0, -(-(size - rank) // world_size)))
    facts = torch.tensor([kept, table.width, table.dtype.itemsize])
    facts = torch.stack(all_gather(facts)).cpu()
    widths = set(facts[:, 1].tolist()) - {-1}
    check_widths(widths, table.dtype)
    wider = int(facts[:, 2].max()) > table.dtype.itemsize
    table.convert(torch.float64 if wider else table.dtype, max(widths, default=0))
    own = table.rows(kept)
    return own if world_size == 1 else _interleave(own, facts[:, 0])


def _interleave(own: Tensor, counts: Tensor) -> Optional[Tensor]:
    """Send the rows to the first process, block by block, and put them in order."""
    whole = None
    if is_main_process():
        whole = torch.empty(int(counts.sum()), own.shape[1], dtype=own.dtype)
    row_bytes = max(1, own.shape[1] * own.dtype.itemsize)
    step = max(1, BLOCK_BYTES // row_bytes)
    for first in range(0, int(counts.max()), step):
        # all must send as much; what is beyond a process's own rows is not read
        block = own.new_zeros(min(step, int(counts.max()) - first), own.shape[1])
        rows = own[first : first + step]
        block[: len(rows)] = rows
        for rank, part in enumerate(gather(block)):
            count = max(0, min(len(block), int(counts[rank]) - first))
            index = torch.arange(first, first + count)
            whole[_place(index, rank, counts)] = part[:count].cpu()
    return whole


def _place(index: Tensor, rank: int, counts: Tensor) -> Tensor:
    """Number in the data set of rows of a process; some may have fewer rows."""
    before = torch.minimum(index[:, None], counts).sum(dim=1)
    same = (counts[:rank] > index[:, None]).sum(dim=1)
    return before + same


def names_to_bytes(names: Sequence[str]) -> Tensor:
    """Text as a tensor: ``(N, W)`` uint8, UTF-8, filled up with zeros."""
    encoded = [name.encode() for name in names]
    width = max(map(len, encoded), default=1)
    joined = b''.join(text.ljust(width, b'\0') for text in encoded)
    return torch.frombuffer(bytearray(joined), dtype=torch.uint8).view(-1, width)


def bytes_to_names(table: Tensor) -> list[str]:
    """The reverse of :func:`names_to_bytes`."""
    return [bytes(row).rstrip(b'\0').decode() for row in table.numpy()]
