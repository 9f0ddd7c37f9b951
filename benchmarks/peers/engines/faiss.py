"""FAISS: a graph over the vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


class Faiss(Engine):
    """HNSW. A question is one thread's work."""

    title = "FAISS, HNSW"
    packages = ("faiss-cpu",)
    kind = "dense"
    settings = (
        "HNSW, M 32, efConstruction 200, efSearch 256, float32, inner product; row numbers only"
    )

    def build(self, folder: Path, material: Material) -> None:
        """With all cores."""
        import faiss  # noqa: PLC0415

        index = faiss.IndexHNSWFlat(material.vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 200
        index.add(material.vectors)
        faiss.write_index(index, str(folder / "vectors.faiss"))

    def open(self, folder: Path) -> None:
        """Read into memory."""
        import faiss  # noqa: PLC0415

        self._index = faiss.read_index(str(folder / "vectors.faiss"))
        self._index.hnsw.efSearch = 256

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the vector alone."""
        assert vector is not None
        rows: list[int] = self._index.search(vector[None], count)[1][0].tolist()
        return rows
