"""Writers of the vector arrays that `kb.retrieval.vectors` maps. Rows may come in any order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Rows(Protocol):
    """Takes a unit vector for each row, and puts them on disk in the end."""

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        """Set one row."""

    def save(self) -> None:
        """Write what is not yet written."""


class VectorRows:
    """float32 rows in `<path>.npy`, written through a memory map."""

    def __init__(self, path: Path, count: int, dimensions: int) -> None:
        self._rows = _reserve(path.with_suffix(".npy"), np.float32, count, dimensions)

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        self._rows[row] = vector

    def save(self) -> None:
        """Flush the map."""
        _flush(self._rows)


def _flush(rows: NDArray[Any]) -> None:
    if isinstance(rows, np.memmap):
        rows.flush()


def _reserve(path: Path, dtype: type, count: int, dimensions: int) -> NDArray[Any]:
    """A map of a new file that has all its room on disk: writing to a map of a full disk ends the process."""
    shape = (count, dimensions)
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        size = count * dimensions * np.dtype(dtype).itemsize
        if size:
            os.posix_fallocate(file.fileno(), file.tell(), size)
        else:
            return np.empty(shape, dtype)
    return np.load(path, mmap_mode="r+", allow_pickle=False)  # type: ignore[no-any-return]


class RoundedRows:
    """int8 rows in `<path>.npy`, each with its own scale in `<path singular>_scales.npy`.

    The largest component of a vector becomes 127 or -127, so that a component is off by at most half a scale.
    """

    def __init__(self, path: Path, count: int, dimensions: int) -> None:
        self._path = path
        self._rows = _reserve(path.with_suffix(".npy"), np.int8, count, dimensions)
        self._scales = np.zeros(count, dtype=np.float32)

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        scale = float(np.abs(vector).max()) / 127 or 1.0
        self._rows[row] = np.rint(vector / scale)
        self._scales[row] = scale

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        return np.asarray(self._rows[row] * self._scales[row], dtype=np.float32)

    def save(self) -> None:
        """Flush the map and write the scales."""
        _flush(self._rows)
        name = self._path.name.removesuffix("s") + "_scales.npy"
        np.save(self._path.with_name(name), self._scales, allow_pickle=False)


class PassageRows:
    """Passages: float32 rows in `passages.npy`, and the same rounded in `codes.npy`."""

    def __init__(self, folder: Path, count: int, dimensions: int) -> None:
        self._both: tuple[Rows, Rows] = (
            VectorRows(folder / "passages", count, dimensions),
            RoundedRows(folder / "codes", count, dimensions),
        )

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        for rows in self._both:
            rows[row] = vector

    def save(self) -> None:
        """Flush the maps and write the scales."""
        for rows in self._both:
            rows.save()


def copy_rows(path: Path, first: Path, second: Path, order: NDArray[np.int64]) -> None:
    """Write the rows `order` of two arrays of one shape, those of the second counted on after the first's.

    Runs of neighbouring rows are written as one block, without a copy in memory.
    """
    one, two = (np.load(source, mmap_mode="r", allow_pickle=False) for source in (first, second))
    breaks = np.flatnonzero((np.diff(order) != 1) | (order[1:] == len(one))) + 1
    with path.open("wb") as file:
        shape = (len(order), *one.shape[1:])
        header = {"descr": one.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for run in np.split(order, breaks):
            if not len(run):
                continue
            start, end = int(run[0]), int(run[-1]) + 1
            block = one[start:end] if start < len(one) else two[start - len(one) : end - len(one)]
            file.write(np.ascontiguousarray(block).data)
