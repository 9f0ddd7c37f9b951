"""What the engine's tests share: small keyword indexes, and the texts of `corpus/` to check against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from indexer.keyword_writer import Fields, compile_postings, write_whoosh
from kb.bm25f import BM25FParameters
from kb.knowledge_base import KnowledgeBase
from kb.postings import Postings

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
