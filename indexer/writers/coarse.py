"""Two-bit codes of the passages' vectors, which `kb.retrieval.coarse` reads.

Made from all vectors each time, in two passes, so that a patched generation has what one build of it would have.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.retrieval.coarse import EXACT_UP_TO, THRESHOLD

BLOCK_ROWS = 16_384
"""Number of vectors in memory at a time."""

_SHIFTS = np.array([2, 0, 6, 4], dtype=np.uint8)
"""Where in its byte each of four dimensions has its bits."""


def write_coarse(folder: Path, exact_up_to: int = EXACT_UP_TO) -> None:
    """Write both arrays into the folder of `passages.npy`, where there are more passages than `exact_up_to`."""
    vectors = np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False)
    if len(vectors) <= exact_up_to:
        return
    count, dimensions = vectors.shape
    padded = -(-dimensions // 4) * 4
    columns = np.zeros((2, padded), dtype=np.float32)
    columns[:, :dimensions] = _columns(vectors)
    np.save(folder / "coarse_columns.npy", columns, allow_pickle=False)
    with (folder / "coarse.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, padded // 4)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, BLOCK_ROWS):
            block = np.zeros((min(BLOCK_ROWS, count - start), padded), dtype=np.float32)
            block[:, :dimensions] = vectors[start : start + BLOCK_ROWS]
            file.write(coarse_codes(block, columns).data)


def coarse_codes(vectors: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The codes, (n, P / 4), of vectors, (n, P), by the means and deviations of `columns`, (2, P)."""
    mean, step = columns[0], THRESHOLD * columns[1]
    levels = (vectors > mean - step).astype(np.uint8)
    levels += vectors > mean
    levels += vectors > mean + step
    shifted = levels.reshape(len(vectors), -1, 4) << _SHIFTS
    return np.ascontiguousarray(np.bitwise_or.reduce(shifted, axis=2))


def _columns(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean and the deviation of each dimension, (2, d)."""
    total = np.zeros(vectors.shape[1])
    squares = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = np.asarray(vectors[start : start + BLOCK_ROWS], dtype=np.float64)
        total += block.sum(axis=0)
        squares += (block**2).sum(axis=0)
    mean = total / len(vectors)
    variance = np.maximum(squares / len(vectors) - mean**2, 0.0)
    return np.array([mean, np.sqrt(variance)], dtype=np.float32)
