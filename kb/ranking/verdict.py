"""The verdict whether a library answers a question, and the reason where it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from kb.question.query import Query
from kb.ranking import confidence
from kb.ranking.ranking import Ranking
from kb.schema.filters import MANY_VALUED, Choice, Filters
from kb.schema.results import Answered
from kb.schema.search_request import Mode
from kb.text.language import name_of


class _Asked(NamedTuple):
    """What a filter asks of an article: with one value, several, one excluded, and several excluded."""

    one: str
    several: str
    not_one: str
    not_several: str


_HAS = {
    "article": _Asked(
        "has that id",
        "has one of those ids",
        "has another id than the excluded one",
        "has another id than the excluded ones",
    ),
    "topic": _Asked(
        "has that topic",
        "has one of those topics",
        "lacks the excluded topic",
        "lacks the excluded topics",
    ),
    "source": _Asked(
        "is published at that host",
        "is published at one of those hosts",
        "is published elsewhere than at the excluded host",
        "is published elsewhere than at the excluded hosts",
    ),
    "language": _Asked(
        "is in that language",
        "is in one of those languages",
        "is in another language than the excluded one",
        "is in another language than the excluded ones",
    ),
}
"""Each filter in words; the reader gave the values and knows them."""

_SINCE = {
    "updated_since": "was changed that lately",
    "reviewed_since": "was reviewed that lately",
}


class Confidence:
    """Decides for one generation. Safe to share between threads."""

    def __init__(
        self, articles: int, passages: int, languages: Callable[[], Collection[str]]
    ) -> None:
        """`languages` gives the BCP 47 tags of the library's articles; it is called for foreign questions only."""
        self._articles = articles
        self._passages = passages
        self._languages = languages

    def decide(
        self,
        query: Query,
        ranking: Ranking,
        mode: Mode,
        filters: Filters,
        leaves_nothing: Callable[[Filters], bool],
        holds_all: Callable[[], bool],
    ) -> tuple[Answered, str]:
        """The verdict, and for "none" the reason, a sentence for the reader; else an empty text.

        `leaves_nothing` says whether no passage passes the filters; it is called where there is no candidate.
        `holds_all` says whether a candidate holds every term of the question; it is called where the evidence is short.
        """
        answered = confidence.answered(ranking.evidence(), ranking.lead(), self._passages)
        if answered == "none" and (_is_found(query, ranking) or holds_all()):
            # Found word for word, however little it may mean to the model.
            answered = "likely"
        if answered == "none" or query.foreign:
            candidates = len(ranking.rows)
            if not candidates and self._articles and filters.narrow and leaves_nothing(filters):
                return "none", f"No article in this library {' and '.join(_wanted(filters))}."
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


def _is_found(query: Query, ranking: Ranking) -> bool:
    """Whether the question is the name of an article, or the beginning of a word, which all that is shown holds."""
    return bool(ranking.candidates.named.any() or (query.is_begun and len(ranking.candidates)))


def _wanted(filters: Filters) -> Iterator[str]:
    """All that the filters ask of an article, in words."""
    for name in MANY_VALUED:
        if (choice := filters.choice(name)) is not None:
            yield from _in_words(_HAS[name], choice)
    yield from (words for name, words in _SINCE.items() if getattr(filters, name) is not None)


def _in_words(asked: _Asked, choice: Choice) -> Iterator[str]:
    if choice.included:
        yield asked.one if len(choice.included) == 1 else asked.several
    if choice.excluded:
        yield asked.not_one if len(choice.excluded) == 1 else asked.not_several
