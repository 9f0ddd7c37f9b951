"""Given the folder of an index or the address of a service, the same library to ask: for programs that take either.

What is opened here lives as long as its program, so a folder's newest generation is looked for at each question.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kb.handover import Handover
from kb.knowledge_base import KnowledgeBase
from kb.schema.article import Article
from kb.schema.errors import IndexUnusable, InvalidRequest
from kb.schema.filters import FilterValues
from kb.schema.results import SearchResponse
from kb.schema.service import ArticleList
from kb.storage.generation import current_generation


class Library(Protocol):
    """What can be asked for cited passages and articles. Safe to share between threads; raises the kinds of KbError.

    `url` is the public address that a link which begins with a slash belongs behind, empty where none is known.
    """

    url: str

    def search(
        self,
        question: str,
        *,
        limit: int = 10,
        topic: FilterValues | None = None,
        source: FilterValues | None = None,
    ) -> SearchResponse:
        """Answer a question, as KnowledgeBase.search does."""

    def article(self, article_id: str) -> Article:
        """The article of that id. Raises NotFound."""

    def articles(self, limit: int = 100, offset: int = 0) -> ArticleList:
        """One page of the articles by title."""

    def close(self) -> None:
        """Let it go, once nothing is being asked."""


def open_library(
    index: str | Path | None = None,
    *,
    url: str | None = None,
    api_key: str | None = None,
    base_url: str = "",
) -> Library:
    """The library in the folder `index`, or behind the service at `url`: one of both, else InvalidRequest.

    `api_key` is the service's, `base_url` the public address that a folder's citations get. A folder's index must
    open now (IndexUnusable); a service is first spoken to when it is first asked.
    """
    if (index is None) == (url is None):
        raise InvalidRequest("index", "Give either the folder of an index or the url of a service.")
    if url is not None:
        from kb.client import Client  # noqa: PLC0415  (a folder needs no HTTP)

        return Client(url, api_key=api_key)
    assert index is not None
    return FolderLibrary(index, base_url=base_url)


def full_link(library: Library, link: str) -> str:
    """A link of the library as it can be opened from anywhere, where the public address is known."""
    return library.url + link if link.startswith("/") else link


class FolderLibrary:
    """An index folder, answered from by its live generation: a newly published one is taken over at the next question.

    One that does not open is passed over until another is published. Safe to share between threads.
    """

    def __init__(self, index: str | Path, *, base_url: str = "") -> None:
        """Raises IndexUnusable where nothing opens."""
        self.path = Path(index)
        self.url = base_url.rstrip("/")
        self._lock = threading.Lock()
        self._is_closed = False
        self._seen = self._current()
        self._opened = Handover(KnowledgeBase.open(self.path, base_url=self.url))

    @property
    def damage(self) -> IndexUnusable | None:
        """Why an older generation answers and not the live one; None where that one does."""
        opened = self._opened.current
        return opened.damage if opened is not None else None

    def search(
        self,
        question: str,
        *,
        limit: int = 10,
        topic: FilterValues | None = None,
        source: FilterValues | None = None,
    ) -> SearchResponse:
        """Answer a question, as KnowledgeBase.search does."""
        with self._use() as knowledge_base:
            return knowledge_base.search(question, limit, topic=topic, source=source)

    def article(self, article_id: str) -> Article:
        """The article of that id. Raises NotFound."""
        with self._use() as knowledge_base:
            return knowledge_base.article(article_id)

    def articles(self, limit: int = 100, offset: int = 0) -> ArticleList:
        """One page of the articles by title."""
        with self._use() as knowledge_base:
            return ArticleList(
                knowledge_base.article_count, tuple(knowledge_base.articles(limit, offset))
            )

    def close(self) -> None:
        """Close the generation once the last question is answered. Questions that come later raise IndexUnusable."""
        with self._lock:
            self._is_closed = True
            self._opened.replace(None)

    @contextmanager
    def _use(self) -> Iterator[KnowledgeBase]:
        with self._lock:
            self._take_over()
        with self._opened.use() as knowledge_base:
            if knowledge_base is None:
                raise IndexUnusable(f"{self.path}: this library has been closed.")
            yield knowledge_base

    def _take_over(self) -> None:
        """Open what was published since the last look, if anything was."""
        current = self._current()
        if self._is_closed or current == self._seen:
            return
        self._seen = current
        try:
            fresh = KnowledgeBase.open(self.path, base_url=self.url)
        except IndexUnusable:
            return
        self._opened.replace(fresh)

    def _current(self) -> str:
        try:
            return current_generation(self.path)
        except IndexUnusable:
            return ""
