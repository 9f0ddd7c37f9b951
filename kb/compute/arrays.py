"""Memory-mapped numpy arrays, and faster forms of some numpy functions."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mapped(folder: Path, name: str) -> NDArray[Any]:
    """`<name>.npy`, read-only and never unpickled. Raises OSError or ValueError for a damaged file."""
    found: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    # A plain view: numpy's memmap class costs microseconds at every slice.
    return found.view(np.ndarray)


def int64s(values: array[int]) -> NDArray[np.int64]:
    """The numbers of an array of type "q", not copied. numpy itself refuses an empty one."""
    return np.frombuffer(values, dtype=np.int64) if values else np.zeros(0, dtype=np.int64)


def gather(table: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """The given rows. `table[rows]` is the same and takes up to three times as long."""
    return np.take(table, rows, axis=0)


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The distinct values, sorted. `np.unique` hashes first and takes ten times as long."""
    values = np.sort(values)
    new = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return values[new]


def union(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """The distinct numbers of both, ascending: numpy's `union1d` in a fifth of the time."""
    return distinct(np.concatenate((one, other)))


def runs(
    starts: NDArray[np.int64], owners: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All rows of the given owners, owner by owner, and the number of rows of each.

    Owner n has the rows `starts[n]` to `starts[n + 1]`.
    """
    first = starts[owners]
    counts = starts[owners + 1] - first
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(first - before, counts), counts
