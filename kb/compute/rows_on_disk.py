"""Rows of a large table, read without the table becoming resident memory.

Touching a row of a mapped file loads as much of the file as the system caches in one piece, up to a megabyte. One
question with 900 passages made 940 MB of vectors resident. So rows of tables larger than MAX_MAPPED_BYTES are read
instead, at 1.7 µs each, from the same cache.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import gather, mapped

MAX_MAPPED_BYTES = 2**29
"""Maximum size of a table that is mapped. Reading a mapped row takes 0.2 µs."""


class RowsOnDisk:
    """A two-dimensional table on disk that is read by rows. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ValueError for a file that is not a numpy array."""
        table = np.load(path, mmap_mode="r", allow_pickle=False)
        self.shape: tuple[int, ...] = table.shape
        self.dtype: np.dtype[Any] = table.dtype
        self._start = int(table.offset)
        self._row_bytes = table.nbytes // max(1, len(table))
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """The given rows, in any order. Runs of consecutive rows are read at once. Raises IndexError."""
        out = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        if not out.size:
            return out
        if rows.min() < 0 or rows.max() >= len(self):
            raise IndexError(f"there are {len(self)} rows, not {rows.min()} to {rows.max()}")
        room = out.data.cast("B")
        ends = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, len(rows))
        size, begun = self._row_bytes, 0
        for end, first in zip(
            ends.tolist(), rows[np.concatenate(([0], ends[:-1]))].tolist(), strict=True
        ):
            place = room[begun * size : end * size]
            if os.preadv(self._file, [place], self._start + first * size) != len(place):
                raise OSError("the table ends early")
            begun = end
        return out


def rows_of(
    folder: Path, name: str, mapped_up_to: int = MAX_MAPPED_BYTES
) -> NDArray[Any] | RowsOnDisk:
    """`<name>.npy`: mapped, or read row by row if it is larger than `mapped_up_to` bytes."""
    table = mapped(folder, name)
    return RowsOnDisk(folder / f"{name}.npy") if table.nbytes > mapped_up_to else table


def take(table: NDArray[Any] | RowsOnDisk, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """The given rows of a mapped table or of one on disk."""
    return table.take(rows) if isinstance(table, RowsOnDisk) else gather(table, rows)
