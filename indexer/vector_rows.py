"""Given vectors one by one and in any order, the arrays that `kb.vectors` maps."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

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
        self._rows = np.lib.format.open_memmap(
            path.with_suffix(".npy"), mode="w+", dtype=np.float32, shape=(count, dimensions)
        )

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        self._rows[row] = vector

    def save(self) -> None:
        """Flush the map."""
        self._rows.flush()


class RoundedRows:
    """int8 rows in `<path>.npy`, each with its own scale in `<path singular>_scales.npy`.

    The largest component of a vector becomes 127 or -127, so that a component is off by at most half a scale.
    """

    def __init__(self, path: Path, count: int, dimensions: int) -> None:
        self._path = path
        self._rows = np.lib.format.open_memmap(
            path.with_suffix(".npy"), mode="w+", dtype=np.int8, shape=(count, dimensions)
        )
        self._scales = np.zeros(count, dtype=np.float32)

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        scale = float(np.abs(vector).max()) / 127 or 1.0
        self._rows[row] = np.rint(vector / scale)
        self._scales[row] = scale

    def save(self) -> None:
        """Flush the map and write the scales."""
        self._rows.flush()
        name = self._path.name.removesuffix("s") + "_scales.npy"
        np.save(self._path.with_name(name), self._scales, allow_pickle=False)
