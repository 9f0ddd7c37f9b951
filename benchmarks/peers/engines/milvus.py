"""Milvus Lite: the vector database as a library, its own BM25, hybrid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import RRF_K, Engine, Vector
from benchmarks.peers.material import Material

CANDIDATES = 100
BATCH = 2000
NEAR = {"metric_type": "IP", "params": {"ef": 256}}


class MilvusLite(Engine):
    """A sparse field that its BM25 function fills, and a graph over the vectors."""

    title = "Milvus Lite, hybrid"
    packages = ("milvus-lite", "pymilvus")
    kind = "hybrid"
    settings = (
        "BM25 function (its standard analyser; it has no English one) and HNSW over float32 (M 32, "
        "efConstruction 200, ef 256), the first 100 of each by its RRF ranker (k 60); texts fetched; one "
        "field of title, heading and text"
    )

    def build(self, folder: Path, material: Material) -> None:
        """In batches, flushed and loaded at the end."""
        from pymilvus import DataType, Function, FunctionType, MilvusClient  # noqa: PLC0415

        client = MilvusClient(str(folder / "passages.db"))
        schema = client.create_schema()
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field(
            "text",
            DataType.VARCHAR,
            max_length=65_535,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=material.vectors.shape[1])
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
        indexes = client.prepare_index_params()
        indexes.add_index(
            "vector",
            index_type="HNSW",
            metric_type="IP",
            params={"M": 32, "efConstruction": 200},
        )
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        client.create_collection("passages", schema=schema, index_params=indexes)
        for start in range(0, len(material.passages), BATCH):
            client.insert(
                "passages",
                [
                    {"row": row, "text": passage.whole, "vector": material.vectors[row]}
                    for row, passage in enumerate(material.passages[start : start + BATCH], start)
                ],
            )
        client.flush("passages")
        client.load_collection("passages")
        client.close()

    def open(self, folder: Path) -> None:
        """The collection, loaded."""
        from pymilvus import AnnSearchRequest, MilvusClient, RRFRanker  # noqa: PLC0415

        self._request, self._ranker = AnnSearchRequest, RRFRanker(RRF_K)
        self._client = MilvusClient(str(folder / "passages.db"))
        self._client.load_collection("passages")

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """One hybrid search."""
        near = self._request([vector], "vector", NEAR, limit=CANDIDATES)
        words = self._request([question], "words", {"metric_type": "BM25"}, limit=CANDIDATES)
        found = self._client.hybrid_search(
            "passages", [near, words], self._ranker, limit=count, output_fields=["text"]
        )
        return [int(hit["row"]) for hit in found[0]]

    def close(self) -> None:
        """Its server ends with it."""
        self._client.close()
