"""bm25s: BM25 precomputed into a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material


class BM25S(Engine):
    """One field. A word that the question repeats counts once, which ranks better here."""

    title = "bm25s"
    packages = ("bm25s", "PyStemmer")
    kind = "keyword"
    settings = (
        "Lucene's BM25 (k1 1.5, b 0.75), English stemmer and stop words, one field of title, heading and "
        "text, memory-mapped; row numbers only"
    )

    def build(self, folder: Path, material: Material) -> None:
        """Tokenise, score, save."""
        import bm25s  # noqa: PLC0415
        import Stemmer  # noqa: PLC0415

        tokens = bm25s.tokenize(
            [passage.whole for passage in material.passages],
            stopwords="en",
            stemmer=Stemmer.Stemmer("english"),
            show_progress=False,
        )
        scored = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        scored.index(tokens, show_progress=False)
        scored.save(str(folder), show_progress=False)

    def open(self, folder: Path) -> None:
        """Mapped."""
        import bm25s  # noqa: PLC0415
        import Stemmer  # noqa: PLC0415

        self._tokenize = bm25s.tokenize
        self._stemmer = Stemmer.Stemmer("english")
        self._scored = bm25s.BM25.load(str(folder), mmap=True)

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the words alone."""
        tokens = self._tokenize(
            [question], stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        terms = [list(dict.fromkeys(tokens[0]))]
        rows, scores = self._scored.retrieve(terms, k=count, show_progress=False)
        found: list[int] = rows[0][scores[0] > 0].tolist()
        return found
