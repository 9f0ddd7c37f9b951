"""This project: a question in, cited results out."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


class Own(Engine):
    """A result is a section by its best passage, verified, with excerpt and explanation."""

    title = "this project"
    packages = ("onnxruntime", "numpy")
    kind = "hybrid"
    settings = (
        "as shipped; a result is cited, with excerpt and explanation; the question is encoded by the index's "
        "own encoder"
    )
    own_environment = True
    encodes = True

    def prepare(self, folder: Path, material: Material) -> None:
        """Put the embeddings in place: what is built then embeds nothing."""
        source = Path(material.about["index"]) / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", "--reflink=auto", str(source), str(folder)], check=True)

    def build(self, folder: Path, material: Material) -> None:
        """`kb build`, all embeddings in its cache; which is then deleted, as it may be."""
        from indexer.build.build import build  # noqa: PLC0415
        from indexer.build.request import BuildRequest  # noqa: PLC0415

        report = build(BuildRequest(folder, [Path(path) for path in material.about["corpora"]]))
        assert not report.failures, report.failures
        shutil.rmtree(folder / "cache")

    def open(self, folder: Path) -> None:
        """As `kb search` does."""
        from kb import KnowledgeBase  # noqa: PLC0415

        self._opened = KnowledgeBase.open(folder)
        engine = self._opened.engine
        self._encoder = engine.ranker._encoder = _Given(engine.encoder)

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[Any]:
        """The ids of the results' passages."""
        self._encoder.given.vector = vector
        found = self._opened.search(question, limit=count).results
        return [
            f"{result.citation.article_id}#{result.citation.section_id}@{result.citation.start}"
            for result in found
        ]

    def close(self) -> None:
        """Let the index go."""
        self._opened.close()


class OwnWords(Own):
    """Its compiled BM25F alone, other names included: what a question's words find while it is encoded."""

    title = "this project, words alone"
    packages = ("numpy",)
    kind = "keyword"
    settings = (
        "its BM25F (title, aliases, heading, text) and half of that for other names, as shipped, without the repair of "
        "spelling; row numbers only"
    )
    encodes = False

    def open(self, folder: Path) -> None:
        """As `kb search` does."""
        super().open(folder)
        self._vocabulary = self._opened.engine.reader._vocabulary
        self._postings = self._opened.engine.index.postings

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[Any]:
        """By the words alone."""
        from kb.question.tokenised import TokenisedText  # noqa: PLC0415
        from kb.retrieval.postings import TopK  # noqa: PLC0415

        asked = TokenisedText.of(question)
        scored = self._postings.score(asked.terms, self._vocabulary.concepts(asked), TopK(count))
        rows = scored.top_k(count)
        return rows[np.argsort(-scored.scores[rows], kind="stable")].tolist()


class _Given:
    """An encoder that gives the vector it was given, by each thread, and encodes where that is None."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.given = threading.local()

    def encode_question(self, text: str) -> Any:
        vector = self.given.vector
        return self._encoder.encode_question(text) if vector is None else vector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)
