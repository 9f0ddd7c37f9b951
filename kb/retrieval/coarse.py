"""The passages that may be nearest to a question's vector, found by two bits of each dimension.

For a library of more than EXACT_UP_TO passages, whose codes of eight bits are too many bytes to go over for a question.
Each dimension is put on one of four levels, those that lose least of a normal distribution (Max 1960), by the mean and
the deviation that it has in this library; nothing else is learnt. A search for the nearest takes several times as many
from here and compares them better. FAISS reads the codes as a product quantiser (Jégou, Douze and Schmid 2011) of pairs
of dimensions. It looks the 16 centroids up in a processor's registers (André, Kermarrec and Le Scouarnec 2017).

In the folder `vectors/`, d dimensions, filled up with zeros to a multiple of four, P:

    coarse.npy           uint8 (N, P / 4)   of dimensions 4n to 4n + 3 in byte n: bits 2-3, 0-1, 6-7, 4-5
    coarse_columns.npy   float32 (2, P)     the mean and the deviation of each dimension
"""

from __future__ import annotations

import warnings
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped

EXACT_UP_TO = 100_000
"""Maximum number of passages that are compared by their codes of eight bits; a library of these has none of two."""

THRESHOLD = 0.9816
LEVELS = (-1.510, -0.4528, 0.4528, 1.510)
"""Max's four levels, in deviations from the mean; they part at -THRESHOLD, 0 and THRESHOLD."""


class CoarseIndex:
    """All passages of a generation by their codes of two bits, in memory. Safe to share between threads."""

    def __init__(self, folder: Path, faiss: Any) -> None:
        """`faiss` is the module. All codes are read, a quarter of a second for a million passages."""
        codes, columns = mapped(folder, "coarse"), mapped(folder, "coarse_columns")
        dimensions = columns.shape[1]
        if codes.shape[1:] != (dimensions // 4,):
            raise ValueError(f"coarse.npy has the shape {codes.shape} for {dimensions} dimensions")
        self._padding = np.zeros(dimensions, dtype=np.float32)
        flat = faiss.IndexPQ(dimensions, dimensions // 2, 4, faiss.METRIC_INNER_PRODUCT)
        faiss.copy_array_to_vector(_centroids(columns).ravel(), flat.pq.centroids)
        flat.is_trained = True
        flat.add_sa_codes(np.ascontiguousarray(codes))
        self._index = faiss.IndexPQFastScan(flat)
        self._count = len(codes)

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Open the coarse codes in a generation's `vectors/`; None where there are none or FAISS is not installed."""
        if not (folder / "coarse.npy").exists():
            return None
        try:
            with warnings.catch_warnings():  # SWIG's own, from Python 3.12 on
                warnings.simplefilter("ignore", DeprecationWarning)
                import faiss  # noqa: PLC0415  (an extra, and only large libraries need it)
        except ImportError:
            return None
        return cls(folder, faiss)

    def likely(self, question: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """The ordinals of the `count` passages that seem nearest to the question, (d,), in ascending order."""
        padded = self._padding.copy()
        padded[: len(question)] = question
        _, rows = self._index.search(padded[np.newaxis], min(count, self._count))
        return np.asarray(np.sort(rows[0][rows[0] >= 0]), dtype=np.int64)


def _centroids(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of each code of four bits, (P / 2, 16, 2): two dimensions, the first in the higher bits."""
    means, deviations = (column.reshape(-1, 1, 2) for column in columns)
    levels = np.array(list(product(LEVELS, repeat=2)), dtype=np.float32)
    return np.asarray(means + deviations * levels, dtype=np.float32)
