"""One product of a matrix and a vector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


def nearest(vectors: Vector, vector: Vector, count: int) -> list[int]:
    """The rows with the highest product, best first."""
    scores = vectors @ vector
    count = min(count, len(scores))
    best = np.argpartition(-scores, count - 1)[:count]
    rows: list[int] = best[np.argsort(-scores[best], kind="stable")].tolist()
    return rows


class Exact(Engine):
    """Exact cosines by numpy, the vectors mapped."""

    title = "numpy, exact"
    packages = ("numpy",)
    kind = "dense"
    settings = "float32, memory-mapped, one product with all rows, on one thread"
    # A second thread gains nothing where memory is the bound, and waits, spinning, while the question is encoded.
    variables: ClassVar = {"OPENBLAS_NUM_THREADS": "1"}

    def build(self, folder: Path, material: Material) -> None:
        """One file."""
        np.save(folder / "vectors.npy", material.vectors)

    def open(self, folder: Path) -> None:
        """Mapped."""
        self._vectors = np.load(folder / "vectors.npy", mmap_mode="r").view(np.ndarray)

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the vector alone."""
        assert vector is not None
        return nearest(self._vectors, vector, count)
