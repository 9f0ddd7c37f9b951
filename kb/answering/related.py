"""The articles and sections nearest in meaning to an article or a passage, cited."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kb.answering.citer import Citer
from kb.retrieval.nearest import Neighbour, nearest_articles, nearest_sections
from kb.retrieval.vectors import VectorIndex
from kb.schema.errors import NotFound, PassageNotFound
from kb.schema.results import RelatedResult
from kb.storage.articles import ArticleStore


class Neighbourhood:
    """Finds the nearest articles and sections in one generation. Safe to share between threads."""

    def __init__(
        self,
        store: ArticleStore,
        vectors: VectorIndex,
        citer: Citer,
        shown: NDArray[np.bool_] | None,
    ) -> None:
        """`shown`, bool (N,), marks the passages that may be shown; None means all."""
        self._store = store
        self._vectors = vectors
        self._citer = citer
        self._shown = shown

    def of_article(self, article_id: str, count: int) -> list[Neighbour]:
        """At most `count` other articles, nearest first, one per title. Raises NotFound."""
        return self._near_articles(self._article(article_id), count)

    def of_passage(
        self, article_id: str, section_id: str, start: int, count: int
    ) -> list[Neighbour]:
        """At most `count` other sections near the passage at the code point `start`, nearest first.

        Raises NotFound, or PassageNotFound if the article has no such passage.
        """
        passages = self._citer.passages
        section = self._store.section_ordinal(self._article(article_id), section_id)
        own = passages["section"] == (-1 if section is None else section)
        rows = np.flatnonzero(own & (passages["start"] <= start) & (start < passages["end"]))
        if not len(rows):
            raise PassageNotFound("The article has no section with that id, or no passage there.")
        passage = int(rows[np.argmax(passages["start"][rows])])  # the last that begins before it
        sections = passages["section"].astype(np.int64)
        return nearest_sections(self._vectors, sections, passage, count, self._shown)

    def cited(self, neighbours: Iterable[Neighbour]) -> tuple[RelatedResult, ...]:
        """The neighbours as results, each by its nearest passage, ranked from 1."""
        results = []
        for rank, neighbour in enumerate(neighbours, start=1):
            citation = self._citer.cited(neighbour.passage)
            results.append(RelatedResult(rank, neighbour.nearness, citation.quote, citation))
        return tuple(results)

    def _article(self, article_id: str) -> int:
        own = self._store.ordinal(article_id)
        if own is None:
            raise NotFound(f"There is no article {article_id!r}.")
        return own

    def _near_articles(self, own: int, count: int) -> list[Neighbour]:
        articles = self._citer.passages["article"].astype(np.int64)
        by_title: dict[str, Neighbour] = {}
        # Collections from several publishers have the same subject more than once.
        for neighbour in nearest_articles(self._vectors, articles, own):
            if len(by_title) == count:
                break
            for summary in self._store.summaries_of([neighbour.ordinal]):  # none where removed
                by_title.setdefault(summary.display_title.casefold(), neighbour)
        return list(by_title.values())
