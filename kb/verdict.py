"""Given a question and its candidates, whether the library answers it, and why where it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kb import confidence
from kb.filters import Filters
from kb.fusion import Mode
from kb.language import name_of
from kb.query import Query
from kb.ranking import Ranking
from kb.results import Answered

_HAS = {
    "article": "has that id",
    "topic": "has that topic",
    "source": "is published at that host",
    "language": "is in that language",
    "updated_since": "was changed that lately",
    "reviewed_since": "was reviewed that lately",
}
"""What each filter asks of an article, in words; the values are not repeated, since whoever reads this gave them."""


class Judge:
    """Of one generation. Safe to share between threads."""

    def __init__(
        self, articles: int, passages: int, languages: Callable[[], Collection[str]]
    ) -> None:
        """`languages` gives the BCP 47 tags of the library's articles; it is called for foreign questions only."""
        self._articles = articles
        self._passages = passages
        self._languages = languages

    def verdict(
        self,
        query: Query,
        ranking: Ranking,
        mode: Mode,
        filters: Filters,
        leaves_nothing: Callable[[Filters], bool],
    ) -> tuple[Answered, str]:
        """The word, and for "none" the reason, a sentence for whoever asked; else nothing.

        `leaves_nothing` says whether the filters let nothing through; it is called where there is no candidate.
        """
        answered = confidence.answered(ranking.evidence(), self._passages)
        if answered == "none" and query.is_begun and len(ranking.rows):
            # The half of a word means little, and yet all that is shown holds it.
            answered = "likely"
        if answered == "none" or query.foreign:
            candidates = len(ranking.rows)
            if not candidates and self._articles and filters.narrow and leaves_nothing(filters):
                wanted = [
                    words for name, words in _HAS.items() if getattr(filters, name) is not None
                ]
                return "none", f"No article in this library {' and '.join(wanted)}."
            return "none", self._reason(query, mode, candidates, filters)
        return answered, ""

    def _reason(self, query: Query, mode: Mode, candidates: int, filters: Filters) -> str:
        if not self._articles:
            return "This library holds no articles."
        if query.foreign:
            own = " and ".join(sorted(map(name_of, self._languages())))
            return f"The question seems to be in {name_of(query.foreign)}, and this library is in {own}."
        if candidates:
            where = "what the search is narrowed to" if filters.narrow else "this library"
            return f"Nothing in {where} comes near enough to the question to answer it."
        asked = ["holds a word of the question"] if mode == "keyword" else []
        asked += ["meets the question’s conditions"] if query.conditions else []
        if filters.narrow:
            return f"No article that the search is narrowed to {' and '.join(asked) or 'is in this library'}."
        return f"Nothing here {' and '.join(asked) or 'has any text'}."
