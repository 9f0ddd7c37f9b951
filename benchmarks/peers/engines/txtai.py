"""txtai: embeddings database, hybrid."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material

PROBES = 128
"""Of some 760 lists. Its default finds less and is hardly faster; an exact pass costs four times as much."""


class Txtai(Engine):
    """Its vectors come from outside, by a function it calls, as it would call a model."""

    title = "txtai, hybrid"
    packages = ("txtai", "faiss-cpu")
    kind = "hybrid"
    settings = (
        "hybrid (its normalised BM25 and dense scores, half each), FAISS by its default (IVF at this size), "
        "128 lists probed instead of its 6, content stored and fetched; one field of title, heading and text;"
        " one search at a time, since its database is no thread's but its own"
    )

    def build(self, folder: Path, material: Material) -> None:
        """From texts whose vectors are looked up."""
        from txtai import Embeddings  # noqa: PLC0415

        rows = {passage.whole: row for row, passage in enumerate(material.passages)}

        def known(texts: list[str]) -> Any:
            return material.vectors[[rows[text] for text in texts]]

        embeddings = Embeddings(_configuration(known))
        embeddings.index((row, passage.whole) for row, passage in enumerate(material.passages))
        embeddings.config.pop("transform")  # a function is no configuration
        embeddings.save(str(folder / "embeddings"))
        embeddings.close()

    def open(self, folder: Path) -> None:
        """What is saved, and the function."""
        from txtai import Embeddings  # noqa: PLC0415

        self._one = threading.Lock()

        def looked_up(texts: list[str]) -> Any:  # noqa: ARG001  (one question at a time)
            return self._vector[None]

        self._embeddings = Embeddings()
        self._embeddings.load(str(folder / "embeddings"), config={"transform": looked_up})

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """One search; it calls the function for the question's vector."""
        assert vector is not None
        with self._one:
            self._vector = vector
            return [int(found["id"]) for found in self._embeddings.search(question, count)]


def _configuration(transform: Any) -> dict[str, Any]:
    return {
        "method": "external",
        "transform": transform,
        "hybrid": True,
        "content": True,
        "faiss": {"nprobe": PROBES},
    }
