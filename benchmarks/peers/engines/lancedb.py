"""LanceDB: a table with vectors and a full-text index, hybrid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.peers.engines.base import RRF_K, Engine, Vector
from benchmarks.peers.material import Material


class LanceDB(Engine):
    """With a graph over the vectors, with which a question takes an eighth of the time without (8 against 68 ms)."""

    title = "LanceDB, hybrid"
    packages = ("lancedb",)
    kind = "hybrid"
    settings = (
        "its full-text index (English stemmer and stop words) and HNSW over float32 (one partition, m 32, "
        "ef_construction 200, ef 256), its RRF reranker (k 60); texts fetched; one field of title, heading "
        "and text"
    )

    variables: ClassVar = {"LANCEDB_LOG": "error"}  # it warns at every question

    def build(self, folder: Path, material: Material) -> None:
        """One table."""
        import lancedb  # noqa: PLC0415
        import pyarrow  # noqa: PLC0415
        from lancedb.index import FTS, HnswFlat  # noqa: PLC0415

        dimensions = material.vectors.shape[1]
        flat = pyarrow.array(material.vectors.ravel())
        table = pyarrow.table(
            {
                "row": pyarrow.array(range(len(material.passages)), pyarrow.int64()),
                "text": [passage.whole for passage in material.passages],
                "vector": pyarrow.FixedSizeListArray.from_arrays(flat, dimensions),
            }
        )
        created = lancedb.connect(str(folder)).create_table("passages", table)
        created.create_index(
            "text", config=FTS(language="English", stem=True, remove_stop_words=True)
        )
        created.create_index(
            "vector",
            config=HnswFlat(distance_type="dot", num_partitions=1, m=32, ef_construction=200),
        )
        for index in created.list_indices():
            created.wait_for_index([index.name])

    def open(self, folder: Path) -> None:
        """The table."""
        import lancedb  # noqa: PLC0415
        from lancedb.rerankers import RRFReranker  # noqa: PLC0415

        self._reranker = RRFReranker(K=RRF_K)
        self._table = lancedb.connect(str(folder)).open_table("passages")

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """One hybrid query."""
        found = (
            self._table.search(query_type="hybrid")
            .vector(vector)
            .text(question)
            .distance_type("dot")
            .ef(256)
            .rerank(self._reranker)
            .select(["row", "text"])
            .limit(count)
            .to_arrow()
        )
        rows: list[int] = found["row"].to_pylist()
        return rows
