"""Given a question, the passages and notices that a retriever of another library hands on, each with its citation.

What the retrievers here have in common. They differ from a search in two things. Where the library has no answer they
give nothing, unless `nearest` is asked for: what a retriever gives is taken for an answer. And the publisher's
notices of an emergency come first, as documents of their own, unless `notices` is False: in a list of documents they
have no other place.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from kb.library import Library, full_link, open_library
from kb.results import Notice, SearchResponse, SearchResult

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One document: `text` word for word, `metadata` flat and fit for JSON.

    `kind` is "passage" or "notice". A passage's metadata are its citation, rank, score and what `answered` says; its
    id is `article#section@start`. A notice's are its title and the first page where it can be checked; its score is
    1.
    """

    id: str
    kind: Literal["passage", "notice"]
    text: str
    score: float
    metadata: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a retriever is asked for at each question: `limit` passages, 1 to 100, of a topic or a source alone."""

    limit: int = 10
    topic: str | None = None
    source: str | None = None
    nearest: bool = False
    notices: bool = True


class LazyLibrary:
    """A library that is opened when it is first asked. Safe to share between threads."""

    def __init__(
        self, index: str | None, url: str | None, api_key: str | None, base_url: str
    ) -> None:
        self._where = (index, url, api_key, base_url)
        self._lock = threading.Lock()
        self._library: Library | None = None

    def open(self) -> Library:
        """The library. Raises InvalidRequest and IndexUnusable, as `open_library` does."""
        index, url, api_key, base_url = self._where
        with self._lock:
            if self._library is None:
                self._library = open_library(index, url=url, api_key=api_key, base_url=base_url)
            return self._library

    def close(self) -> None:
        """Close it, where it is open. It is opened anew when it is asked again."""
        with self._lock:
            if self._library is not None:
                self._library.close()
            self._library = None

    def retrieve(self, question: str, wanted: Wanted) -> list[Retrieved]:
        """Notices, then passages, the best first. Raises the kinds of KbError."""
        library = self.open()
        response = library.search(
            question, limit=wanted.limit, topic=wanted.topic, source=wanted.source
        )
        found = [_of_notice(notice) for notice in response.notices] if wanted.notices else []
        if response.answered != "none" or wanted.nearest:
            found += [_of_result(library, response, result) for result in response.results]
        return found


def _of_result(library: Library, response: SearchResponse, result: SearchResult) -> Retrieved:
    citation = result.citation
    metadata: dict[str, Value] = {
        "kind": "passage",
        "article_id": citation.article_id,
        "article_title": citation.article_title,
        "section_id": citation.section_id,
        "section_heading": citation.section_heading,
        "url": full_link(library, citation.url),
        "source_url": citation.source_url,
        "start": citation.start,
        "end": citation.end,
        "updated": citation.updated,
        "reviewed": citation.reviewed,
        "rank": result.rank,
        "score": result.score,
        "answered": response.answered,
        "generation": response.generation,
    }
    name = f"{citation.article_id}#{citation.section_id}@{citation.start}"
    return Retrieved(name, "passage", citation.quote, result.score, metadata)


def _of_notice(notice: Notice) -> Retrieved:
    metadata: dict[str, Value] = {
        "kind": "notice",
        "title": notice.title,
        "url": notice.links[0].url if notice.links else "",
    }
    return Retrieved(
        f"notice:{notice.id}", "notice", f"{notice.title}. {notice.text}", 1.0, metadata
    )
