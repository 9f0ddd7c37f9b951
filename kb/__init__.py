"""Search a library of sectioned articles: a question in, cited passages out.

    from kb import KnowledgeBase
    response = KnowledgeBase.open("index").search("why do my legs jerk when I fall asleep")
    print(response.results[0].citation.quote)

Names are loaded on first use, so a command that needs no engine starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kb.reporting import telemetry as _telemetry

_telemetry.turn_off()  # before any module of this package imports what reports to its maker

if TYPE_CHECKING:
    from kb.knowledge_base import KnowledgeBase
    from kb.schema.article import Article, ArticleSummary, Section, Source
    from kb.schema.errors import KbError
    from kb.schema.passage import Passage
    from kb.schema.results import (
        Citation,
        Explanation,
        Link,
        Notice,
        SearchResponse,
        SearchResult,
        Snippet,
        Suggestion,
    )
    from kb.schema.search_request import SearchRequest

_HOME = {
    "Article": "kb.schema.article",
    "ArticleSummary": "kb.schema.article",
    "Citation": "kb.schema.results",
    "Explanation": "kb.schema.results",
    "KbError": "kb.schema.errors",
    "KnowledgeBase": "kb.knowledge_base",
    "Link": "kb.schema.results",
    "Notice": "kb.schema.results",
    "Passage": "kb.schema.passage",
    "SearchRequest": "kb.schema.search_request",
    "SearchResponse": "kb.schema.results",
    "SearchResult": "kb.schema.results",
    "Section": "kb.schema.article",
    "Snippet": "kb.schema.results",
    "Source": "kb.schema.article",
    "Suggestion": "kb.schema.results",
}

__all__ = [
    "Article",
    "ArticleSummary",
    "Citation",
    "Explanation",
    "KbError",
    "KnowledgeBase",
    "Link",
    "Notice",
    "Passage",
    "SearchRequest",
    "SearchResponse",
    "SearchResult",
    "Section",
    "Snippet",
    "Source",
    "Suggestion",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
