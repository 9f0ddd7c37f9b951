"""Given a question and its candidates, whether the library answers it, and why where it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kb import confidence
from kb.fusion import Mode
from kb.language import name_of
from kb.query import Query
from kb.ranking import Ranking
from kb.results import Answered


class Judge:
    """Of one generation. Safe to share between threads."""

    def __init__(
        self, articles: int, passages: int, languages: Callable[[], Collection[str]]
    ) -> None:
        """`languages` gives the BCP 47 tags of the library's articles; it is called for foreign questions only."""
        self._articles = articles
        self._passages = passages
        self._languages = languages

    def verdict(self, query: Query, ranking: Ranking, mode: Mode) -> tuple[Answered, str]:
        """The word, and for "none" the reason, a sentence for whoever asked; else nothing."""
        answered = confidence.answered(ranking.evidence(), self._passages)
        if answered == "none" or query.foreign:
            return "none", self._reason(query.foreign, mode, len(ranking.rows))
        return answered, ""

    def _reason(self, foreign: str | None, mode: Mode, candidates: int) -> str:
        if not self._articles:
            return "This library holds no articles."
        if foreign:
            own = " and ".join(sorted(map(name_of, self._languages())))
            return f"The question seems to be in {name_of(foreign)}, and this library is in {own}."
        if candidates:
            return "Nothing in this library comes near enough to the question to answer it."
        if mode == "keyword":
            return "Nothing here holds a word of the question and meets its conditions."
        return "Nothing here meets the question’s conditions."
