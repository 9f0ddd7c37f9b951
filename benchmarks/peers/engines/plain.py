"""What one would write oneself in a few lines: bm25s and one product by numpy, fused by their ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector, reciprocal_ranks
from benchmarks.peers.engines.bm25s import BM25S
from benchmarks.peers.engines.exact import Exact
from benchmarks.peers.material import Material

CANDIDATES = 100


class PlainFusion(Engine):
    """The first hundred of each."""

    title = "bm25s + numpy, RRF"
    packages = ("bm25s", "numpy")
    kind = "hybrid"
    settings = "the first 100 of bm25s and of numpy, as above, by reciprocal rank fusion (k 60); row numbers only"

    variables = Exact.variables

    def __init__(self) -> None:
        self._words, self._vectors = BM25S(), Exact()

    def build(self, folder: Path, material: Material) -> None:
        """Both."""
        for part in ("words", "vectors"):
            (folder / part).mkdir()
        self._words.build(folder / "words", material)
        self._vectors.build(folder / "vectors", material)

    def open(self, folder: Path) -> None:
        """Both."""
        self._words.open(folder / "words")
        self._vectors.open(folder / "vectors")

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """Fused by rank."""
        lists = [asked.ask(question, vector, CANDIDATES) for asked in (self._words, self._vectors)]
        return reciprocal_ranks(lists, count)
