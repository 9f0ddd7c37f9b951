"""Ask a service of this project from Python, without and with `await`:

    from kb.client import AsyncClient, Client
    with Client("https://kb.example.org") as client:
        response = client.search("why do my legs jerk when I fall asleep", limit=3)
    async with AsyncClient("https://kb.example.org") as client:
        response = await client.search("why do my legs jerk when I fall asleep", limit=3)

Needs `pip install 'sectioned-kb[client]'`; loads nothing of the engine.
"""

from __future__ import annotations

from kb.answers import ArticleList, BatchResponse, Health, SuggestionList
from kb.client.calls import Call, Question, SearchOptions
from kb.client.client import AsyncClient, Client
from kb.client.conversation import RetryPolicy
from kb.client.errors import (
    ArticleNotFound,
    DeadlineExceeded,
    KeyRefused,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    UnexpectedAnswer,
    Unreachable,
)

__all__ = [
    "ArticleList",
    "ArticleNotFound",
    "AsyncClient",
    "BatchResponse",
    "Call",
    "Client",
    "DeadlineExceeded",
    "Health",
    "KeyRefused",
    "Question",
    "RequestRefused",
    "RetryPolicy",
    "SearchOptions",
    "ServiceError",
    "ServiceUnavailable",
    "SuggestionList",
    "TooManyRequests",
    "UnexpectedAnswer",
    "Unreachable",
]
