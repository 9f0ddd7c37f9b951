"""Haystack with its store in memory, hybrid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material

CANDIDATES = 100


class Haystack(Engine):
    """Two retrievers and a joiner, as in its guide to hybrid retrieval."""

    title = "Haystack, in memory, hybrid"
    packages = ("haystack-ai",)
    kind = "hybrid"
    settings = (
        "BM25 and embedding retrievers of the store in memory, the first 100 of each, its joiner by "
        "reciprocal rank fusion; one field of title, heading and text"
    )

    def build(self, folder: Path, material: Material) -> None:
        """Written, and saved as its JSON."""
        from haystack import Document  # noqa: PLC0415
        from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415

        store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
        store.write_documents(
            [
                Document(
                    id=str(row), content=passage.whole, embedding=material.vectors[row].tolist()
                )
                for row, passage in enumerate(material.passages)
            ]
        )
        store.save_to_disk(str(folder / "store.json"))

    def open(self, folder: Path) -> None:
        """All of it into memory."""
        from haystack.components.joiners import DocumentJoiner  # noqa: PLC0415
        from haystack.components.retrievers.in_memory import (  # noqa: PLC0415
            InMemoryBM25Retriever,
            InMemoryEmbeddingRetriever,
        )
        from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415

        store = InMemoryDocumentStore.load_from_disk(str(folder / "store.json"))
        self._words = InMemoryBM25Retriever(store, top_k=CANDIDATES)
        self._near = InMemoryEmbeddingRetriever(store, top_k=CANDIDATES, return_embedding=False)
        self._joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """Both, joined."""
        assert vector is not None
        words = self._words.run(query=question)["documents"]
        near = self._near.run(query_embedding=vector.tolist())["documents"]
        found = self._joiner.run(documents=[words, near], top_k=count)["documents"]
        return [int(document.id) for document in found]
