"""A Python client of the service, sync and async.

    from kb.client import AsyncClient, Client
    with Client("https://kb.example.org") as client:
        response = client.search("why do my legs jerk when I fall asleep", limit=3)
    async with AsyncClient("https://kb.example.org") as client:
        response = await client.search("why do my legs jerk when I fall asleep", limit=3)

With a key, it can change articles:

    with Client("https://kb.example.org", api_key=key) as client:
        accepted = client.put_article("growing-pains", "# Growing pains\\n\\nThey come in the evening.")
        task = client.wait(accepted.task.id)

It needs the extra `client`, and loads no part of the engine.
"""

from __future__ import annotations

from kb.client.calls import Call, HeldArticle, Question
from kb.client.changes import Accepted
from kb.client.client import AsyncClient, Client
from kb.client.conversation import RetryPolicy
from kb.client.errors import (
    ArticleMoved,
    ArticleNotFound,
    ArticleWithdrawn,
    DeadlineExceeded,
    KeyRefused,
    PreconditionFailed,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    TaskNotFound,
    TooManyRequests,
    UnexpectedAnswer,
    Unreachable,
)
from kb.schema.search_request import SearchOptions
from kb.schema.service import (
    ArticleList,
    BatchResponse,
    Health,
    IndexStatus,
    SuggestionList,
    TaskList,
    TaskView,
)

__all__ = [
    "Accepted",
    "ArticleList",
    "ArticleMoved",
    "ArticleNotFound",
    "ArticleWithdrawn",
    "AsyncClient",
    "BatchResponse",
    "Call",
    "Client",
    "DeadlineExceeded",
    "Health",
    "HeldArticle",
    "IndexStatus",
    "KeyRefused",
    "PreconditionFailed",
    "Question",
    "RequestRefused",
    "RetryPolicy",
    "SearchOptions",
    "ServiceError",
    "ServiceUnavailable",
    "SuggestionList",
    "TaskList",
    "TaskNotFound",
    "TaskView",
    "TooManyRequests",
    "UnexpectedAnswer",
    "Unreachable",
]
