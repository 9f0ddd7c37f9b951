"""What the engine's tests share: small keyword indexes, and the texts of `corpus/` to check against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.embedding.vector_rows import PassageRows, RoundedRows
from indexer.passages.texts import Fields
from indexer.writers.keywords import compile_postings, write_whoosh
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.postings import Postings
from kb.retrieval.vectors import VectorIndex
from kb.text.bm25f import BM25FParameters

MakePostings = Callable[..., Postings]


@pytest.fixture(scope="session")
def make_postings(tmp_path_factory: pytest.TempPathFactory) -> MakePostings:
    """Writes passages with Whoosh, compiles the arrays, and opens them."""
    root = tmp_path_factory.mktemp("postings")
    numbers = count()

    def make(passages: Sequence[Fields], parameters: BM25FParameters | None = None) -> Postings:
        folder = root / str(next(numbers))
        write_whoosh(folder / "keyword", passages)
        compile_postings(
            folder / "keyword", folder / "postings", len(passages), parameters or BM25FParameters()
        )
        return Postings(folder / "postings")

    return make


class SaveVectors(Protocol):
    def __call__(
        self,
        folder: Path,
        passages: NDArray[np.float32],
        names: NDArray[np.float32],
        name_starts: Sequence[int],
        sentences: NDArray[np.float32],
        sentence_starts: Sequence[int],
        **limits: int,
    ) -> VectorIndex: ...


@pytest.fixture(scope="session")
def save_vectors() -> SaveVectors:
    """Writes vectors as a build does, and opens them."""

    def save(
        folder: Path,
        passages: NDArray[np.float32],
        names: NDArray[np.float32],
        name_starts: Sequence[int],
        sentences: NDArray[np.float32],
        sentence_starts: Sequence[int],
        **limits: int,
    ) -> VectorIndex:
        folder.mkdir(exist_ok=True)
        for rows, vectors in (
            (PassageRows(folder, *passages.shape), passages),
            (RoundedRows(folder / "names", *names.shape), names),
            (RoundedRows(folder / "sentences", *sentences.shape), sentences),
            (RoundedRows(folder / "kinds", *passages.shape), 0 * passages),
        ):
            for place, vector in enumerate(vectors):
                rows[place] = vector
            rows.save()
        for name, starts in (("name", name_starts), ("sentence", sentence_starts)):
            np.save(folder / f"{name}_starts.npy", np.array(starts, dtype=np.int64))
        return VectorIndex(folder, **limits)

    return save


@dataclass(frozen=True)
class Indexed:
    """One passage as the corpus has it."""

    article: str
    section: str
    fields: Fields


@pytest.fixture(scope="session")
def indexed(knowledge_base: KnowledgeBase) -> list[Indexed]:
    """Every passage of the index of `corpus/`, in order, read back through public look-ups alone."""
    summaries = knowledge_base.articles(limit=1000)
    articles = [
        knowledge_base.article(summary.id) for summary in sorted(summaries, key=lambda a: a.id)
    ]
    sections = [(article, section) for article in articles for section in article.sections]
    (folder,) = (Path(knowledge_base.path) / "generations").glob(knowledge_base.generation)
    rows = np.load(folder / "passages.npy", allow_pickle=False)
    found = []
    for row in rows:
        article, section = sections[int(row["section"])]
        text = section.text[int(row["start"]) : int(row["end"])]
        fields = (article.title, "\n".join(article.aliases), section.heading, text)
        found.append(Indexed(article.id, section.id, fields))
    return found
