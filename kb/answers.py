"""Given a question that is not a search, the shapes that the service answers with.

They are those of the HTTP API; an answer to a search is in kb.results, an article in kb.article.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kb.article import ArticleSummary
from kb.results import SearchResponse, Suggestion


@dataclass(frozen=True, slots=True)
class ArticleList:
    """One page of the articles by title; `total` counts all there are."""

    total: int
    articles: tuple[ArticleSummary, ...]


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """What a text may become, best first, and the generation whose articles that leads to; `timings` as in a search."""

    suggestions: tuple[Suggestion, ...]
    generation: str
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The answers to several questions in their order, all from one generation."""

    answers: tuple[SearchResponse, ...]
    generation: str
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Health:
    """What a service serves. `degraded`: the newest index does not open and an older one answers; `reason` says why."""

    status: Literal["ok", "degraded"]
    generation: str
    created: str
    model: str
    articles: int
    sections: int
    passages: int
    reason: str | None
