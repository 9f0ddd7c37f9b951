"""A knowledge base that reports each of its answers to a callback, for metrics and traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kb.knowledge_base import KnowledgeBase
from kb.schema.results import SearchResponse

OnAnswer = Callable[[SearchResponse], None]


class ServedKnowledgeBase(KnowledgeBase):
    """A knowledge base that tells of each of its answers, in the thread that asked."""

    on_answer: OnAnswer | None = None

    def search(self, question: str, *args: Any, **kwargs: Any) -> SearchResponse:
        """As KnowledgeBase.search."""
        response = super().search(question, *args, **kwargs)
        if self.on_answer is not None:
            self.on_answer(response)
        return response
