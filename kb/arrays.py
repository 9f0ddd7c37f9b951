"""Given a folder of numpy arrays, one of them, memory-mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mapped(folder: Path, name: str) -> NDArray[Any]:
    """`<name>.npy`, read-only, and never unpickled. Raises OSError or ValueError where it is spoilt."""
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    # A plain view: numpy's memmap class costs microseconds at every slice.
    return array.view(np.ndarray)
