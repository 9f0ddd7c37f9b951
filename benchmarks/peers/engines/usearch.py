"""USearch: a graph over the vectors, these in half precision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


class USearch(Engine):
    """HNSW."""

    title = "USearch, HNSW"
    packages = ("usearch",)
    kind = "dense"
    settings = (
        "HNSW, connectivity 32, expansion 200 and 256, bf16, cosine, mapped; row numbers only"
    )

    def build(self, folder: Path, material: Material) -> None:
        """With all cores."""
        import numpy as np  # noqa: PLC0415
        from usearch.index import Index  # noqa: PLC0415

        index = Index(
            ndim=material.vectors.shape[1],
            metric="cos",
            dtype="bf16",
            connectivity=32,
            expansion_add=200,
            expansion_search=256,
        )
        index.add(np.arange(len(material.vectors)), material.vectors)
        index.save(str(folder / "vectors.usearch"))

    def open(self, folder: Path) -> None:
        """Mapped."""
        from usearch.index import Index  # noqa: PLC0415

        restored = Index.restore(str(folder / "vectors.usearch"), view=True)
        assert restored is not None
        restored.expansion_search = 256
        self._index = restored

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the vector alone."""
        rows: list[int] = self._index.search(vector, count).keys.tolist()
        return rows
