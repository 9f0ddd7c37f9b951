"""hnswlib: the graph by its authors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


class HNSWLib(Engine):
    """HNSW. A question is one thread's work."""

    title = "hnswlib"
    packages = ("hnswlib",)
    kind = "dense"
    settings = "HNSW, M 32, ef_construction 200, ef 400, float32, inner product; row numbers only"

    def build(self, folder: Path, material: Material) -> None:
        """With all cores."""
        import hnswlib  # noqa: PLC0415

        count, dimensions = material.vectors.shape
        index = hnswlib.Index(space="ip", dim=dimensions)
        index.init_index(max_elements=count, M=32, ef_construction=200)
        index.add_items(material.vectors)
        index.save_index(str(folder / "vectors.hnsw"))
        (folder / "dimensions").write_text(str(dimensions), encoding="ascii")

    def open(self, folder: Path) -> None:
        """Read into memory."""
        import hnswlib  # noqa: PLC0415

        dimensions = int((folder / "dimensions").read_text(encoding="ascii"))
        self._index = hnswlib.Index(space="ip", dim=dimensions)
        self._index.load_index(str(folder / "vectors.hnsw"))
        self._index.set_ef(400)

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the vector alone."""
        rows: list[int] = self._index.knn_query(vector, count, num_threads=1)[0][0].tolist()
        return rows
