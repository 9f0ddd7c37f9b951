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

# The values are quick to load, so they come first. The engine is loaded only for KnowledgeBase.
_MODULES = (
    "kb.schema.article",
    "kb.schema.errors",
    "kb.schema.passage",
    "kb.schema.results",
    "kb.schema.search_request",
    "kb.knowledge_base",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in map(import_module, _MODULES):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'kb' has no attribute {name!r}")
