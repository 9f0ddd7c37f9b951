"""One interface to a library in an index folder or behind a service, for programs that accept either.

Such programs run for a long time, so each question looks for the folder's newest generation.
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
from kb.schema.results import SearchResponse
from kb.schema.search_request import SearchRequest
from kb.schema.service import ArticleList
from kb.storage.generation import current_generation


class Library(Protocol):
    """A source of cited passages and articles. Safe to share between threads. Raises the kinds of KbError.

    `url` is the public address to put before links that begin with a slash, empty if none is known.
    """

    url: str

    def answer(self, request: SearchRequest) -> SearchResponse:
        """Answer a search."""

    def article(self, article_id: str) -> Article:
        """The article with that id. Raises NotFound."""

    def articles(self, limit: int = 100, offset: int = 0) -> ArticleList:
        """One page of the articles by title."""

    def close(self) -> None:
        """Close the library, once no question is running."""


def open_library(
    index: str | Path | None = None,
    *,
    url: str | None = None,
    api_key: str | None = None,
    base_url: str = "",
) -> Library:
    """The library in the folder `index`, or behind the service at `url`. Raises InvalidRequest unless one is given.

    `api_key` is for the service. `base_url` is the public address in a folder's citations. A folder's index is opened
    at once, which may raise IndexUnusable. A service is first contacted by the first question.
    """
    if (index is None) == (url is None):
        raise InvalidRequest("index", "Give either the folder of an index or the url of a service.")
    if url is not None:
        from kb.client import Client  # noqa: PLC0415  (a folder needs no HTTP)

        return Client(url, api_key=api_key)
    assert index is not None
    return FolderLibrary(index, base_url=base_url)


def full_link(library: Library, link: str) -> str:
    """A link of the library, with the public address in front if it is known."""
    return library.url + link if link.startswith("/") else link


class FolderLibrary:
    """A library in an index folder. Each question is answered by the generation that is live at that time.

    A new generation that does not open is ignored until another is published. Safe to share between threads.
    """

    def __init__(self, index: str | Path, *, base_url: str = "") -> None:
        """Raises IndexUnusable if no generation opens."""
        self.path = Path(index)
        self.url = base_url.rstrip("/")
        self._lock = threading.Lock()
        self._is_closed = False
        self._seen = self._current()
        self._opened = Handover(KnowledgeBase.open(self.path, base_url=self.url))

    @property
    def damage(self) -> IndexUnusable | None:
        """Why an older generation answers; None if the live one does."""
        opened = self._opened.current
        return opened.damage if opened is not None else None

    def answer(self, request: SearchRequest) -> SearchResponse:
        """Answer a search."""
        with self._use() as knowledge_base:
            return knowledge_base.answer(request)

    def article(self, article_id: str) -> Article:
        """The article with that id. Raises NotFound."""
        with self._use() as knowledge_base:
            return knowledge_base.article(article_id)

    def articles(self, limit: int = 100, offset: int = 0) -> ArticleList:
        """One page of the articles by title."""
        with self._use() as knowledge_base:
            return ArticleList(
                knowledge_base.article_count, tuple(knowledge_base.articles(limit, offset))
            )

    def close(self) -> None:
        """Close the generation once the last question is answered. Later questions raise IndexUnusable."""
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
        """Open a generation that was published since the last look."""
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
