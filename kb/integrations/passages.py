"""Documents for retrievers: passages and notices with their citations.

The retrievers differ from a search in two ways. If the library has no answer, they return nothing unless `nearest` is
set, because what a retriever returns is taken for an answer. And the publisher's emergency notices come first, as
separate documents, unless `notices` is False: a list of documents has no other place for them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from kb.library import Library, full_link, open_library
from kb.schema.filters import FilterValues
from kb.schema.results import Citation, Notice, SearchResponse, SearchResult
from kb.schema.search_request import SearchRequest

Value = str | int | float | None
Kind = Literal["passage", "notice"]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One document: `text` word for word, `metadata` flat and ready for JSON.

    `kind` is "passage" or "notice". Both have the same metadata: the citation, rank, score and `answered`. A passage's
    id is `article#section@start`. A notice belongs to no article: its title is the `article_title`, and the first page
    where it can be checked is the `url` and `source_url`. Its rank is 0 and its score 1, so that sorting or cutting by
    score keeps it first. Its `start` is 0, its ids and heading are empty, its dates are None.
    """

    id: str
    kind: Kind
    text: str
    score: float
    metadata: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A retriever's options for each question: at most `limit` passages, 1 to 100, filtered by topic and source."""

    limit: int = 10
    topic: FilterValues | None = None
    source: FilterValues | None = None
    nearest: bool = False
    notices: bool = True


class LazyLibrary:
    """A library that is opened at the first question. Safe to share between threads."""

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
        """Close the library if it is open. The next question opens it again."""
        with self._lock:
            if self._library is not None:
                self._library.close()
            self._library = None

    def retrieve(self, question: str, wanted: Wanted) -> list[Retrieved]:
        """Notices, then passages, the best first. Raises the kinds of KbError."""
        library = self.open()
        response = library.answer(
            SearchRequest(question, wanted.limit, topic=wanted.topic, source=wanted.source)
        )
        notices = response.notices if wanted.notices else ()
        found = [_of_notice(response, notice) for notice in notices]
        if response.answered != "none" or wanted.nearest:
            found += [_of_result(library, response, result) for result in response.results]
        return found


def _of_result(library: Library, response: SearchResponse, result: SearchResult) -> Retrieved:
    citation = result.citation
    return _retrieved(
        f"{citation.article_id}#{citation.section_id}@{citation.start}",
        "passage",
        citation,
        full_link(library, citation.url),
        result.rank,
        result.score,
        response,
    )


def _of_notice(response: SearchResponse, notice: Notice) -> Retrieved:
    text = f"{notice.title}. {notice.text}"
    page = notice.links[0].url if notice.links else ""
    citation = Citation(
        article_id="",
        article_title=notice.title,
        section_id="",
        section_heading="",
        url=page,
        source_url=page,
        quote=text,
        start=0,
        end=len(text),
    )
    return _retrieved(f"notice:{notice.id}", "notice", citation, page, 0, 1.0, response)


def _retrieved(
    name: str,
    kind: Kind,
    citation: Citation,
    url: str,
    rank: int,
    score: float,
    response: SearchResponse,
) -> Retrieved:
    """The only place that names the metadata, so every document has the same ones."""
    metadata: dict[str, Value] = {
        "kind": kind,
        "article_id": citation.article_id,
        "article_title": citation.article_title,
        "section_id": citation.section_id,
        "section_heading": citation.section_heading,
        "url": url,
        "source_url": citation.source_url,
        "start": citation.start,
        "end": citation.end,
        "updated": citation.updated,
        "reviewed": citation.reviewed,
        "rank": rank,
        "score": score,
        "answered": response.answered,
        "generation": response.generation,
    }
    return Retrieved(name, kind, citation.quote, score, metadata)
