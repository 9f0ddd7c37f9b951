"""Calls that only read: method, path, body, and the type of the answer.

Each function here becomes a method of both clients. A function sends nothing itself. Every call here may be retried.
Calls that change something are in kb.client.changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, Required, TypeVar, Unpack, cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from kb.client.errors import ArticleNotFound, ServiceError, TaskNotFound, UnexpectedAnswer
from kb.schema.article import Article
from kb.schema.results import RelatedResponse, SearchResponse
from kb.schema.search_request import NamedSearchOptions, SearchOptions, SearchRequest
from kb.schema.service import (
    ArticleList,
    BatchResponse,
    Health,
    IndexStatus,
    SuggestionList,
    TaskList,
    TaskView,
)

T = TypeVar("T")
V = TypeVar("V")

STATUS_DEADLINE_S = 120.0
"""Deadline of a status call in seconds. The service reads the whole corpus to answer."""

_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)  # some milliseconds for each type


@dataclass(frozen=True, slots=True)
class Sent:
    """A file to send under a name, from memory or from a path. A path is read again for each attempt."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request to the service. `private` lists the texts in it that must not appear in messages.

    The body is JSON (`body`), bytes (`content`), or a form (`files`). The answer's JSON is parsed as the type `answer`.
    `finish` turns that value and the headers into what the caller gets. If `retried` is False, the first answer
    counts. A call with `is_change` is retried for longer. `deadline_s` overrides the client's own deadline. `missing`
    is raised for 404.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    answer: type[Any]
    query: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    files: tuple[Sent, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)
    retried: bool = True
    is_change: bool = False
    deadline_s: float | None = None
    missing: type[ServiceError] = ArticleNotFound
    finish: Callable[[Any, Mapping[str, str]], T] = field(
        default=lambda value, _: cast(T, value), repr=False
    )

    def read(self, content: bytes, headers: Mapping[str, str]) -> T:
        """What the caller gets for an answer. Unknown fields are ignored. Raises UnexpectedAnswer.

        `headers` have lower-case names.
        """
        return self.finish(parsed(self.answer, content), headers)


def parsed(kind: type[V], content: bytes) -> V:
    """A value of that type from its JSON. Raises UnexpectedAnswer."""
    wrong = ""
    try:
        value: V = _adapter(kind).validate_json(content)
    except ValidationError as error:
        # The rest of the location may be a key of a dict, such as a word of the question.
        place = [str(name) for name in error.errors(include_input=False)[0]["loc"][:1]]
        wrong = f" ({place[0]})" if place else ""
    else:
        return value
    raise UnexpectedAnswer(
        f"The answer is not a {kind.__name__} as this version knows it{wrong}. "
        "Is this the address of the service, and does the service have the same version?"
    )


@dataclass(frozen=True, slots=True)
class HeldArticle:
    """An article and the entity tag of its content, to send as `if_match` with a change."""

    article: Article
    etag: str


class Question(SearchOptions, total=False):
    """One search of a batch, as a dictionary."""

    question: Required[str]


def search(
    question: str, limit: int = 10, offset: int = 0, **options: Unpack[NamedSearchOptions]
) -> Call[SearchResponse]:
    """Answer a question with the passages that fit it best. The arguments are those of KnowledgeBase.search.

    The question is sent in a body, never in an address. The service checks the arguments. Raises RequestRefused for a
    wrong one, or for a `generation` that no longer answers.
    """
    return answer(SearchRequest(question, limit, offset, **options))


def answer(request: SearchRequest) -> Call[SearchResponse]:
    """Answer a search given as one value. The service checks it, as for `search`."""
    body = _given(request.given())
    return Call("POST", "/api/v1/search", SearchResponse, body=body, private=(request.question,))


def search_batch(searches: Sequence[Question]) -> Call[BatchResponse]:
    """Answer up to 20 questions independently, all from one generation of the index."""
    body = {"searches": [_given(asked) for asked in searches]}
    private = tuple(asked["question"] for asked in searches)
    return Call("POST", "/api/v1/search/batch", BatchResponse, body=body, private=private)


def related(
    article_id: str,
    section_id: str | None = None,
    start: int = 0,
    *,
    limit: int = 10,
    generation: str | None = None,
) -> Call[RelatedResponse]:
    """What is near in meaning to an article, or to the passage at `start` of one of its sections.

    Raises ArticleNotFound.
    """
    query = {"article": article_id, "section": section_id, "limit": limit, "generation": generation}
    if section_id is not None:
        query["start"] = start
    return Call("GET", "/api/v1/related", RelatedResponse, query=_given(query))


def suggest(text: str, *, limit: int = 8) -> Call[SuggestionList]:
    """Completions of a text. The text is sent in a body, never in an address."""
    body = {"text": text, "limit": limit}
    return Call("POST", "/api/v1/suggest", SuggestionList, body=body, private=(text,))


def article(article_id: str) -> Call[Article]:
    """The article with that id, with all its sections. Raises ArticleNotFound."""
    return Call("GET", article_path(article_id), Article)


def article_with_etag(article_id: str) -> Call[HeldArticle]:
    """The article with its entity tag, for a change that fails if somebody else changed it. Raises ArticleNotFound."""

    def held(article: Article, headers: Mapping[str, str]) -> HeldArticle:
        return HeldArticle(article, headers.get("etag", ""))

    return Call("GET", article_path(article_id), Article, finish=held)


def articles(limit: int = 100, offset: int = 0) -> Call[ArticleList]:
    """One page of the articles by title: `limit` (1 to 100) of them, starting at `offset`."""
    return Call("GET", "/api/v1/articles", ArticleList, query={"limit": limit, "offset": offset})


def health() -> Call[Health]:
    """What is being served. Sent once, without retries. Raises ServiceUnavailable if nothing is served now."""
    return Call("GET", "/healthz", Health, retried=False)


def status() -> Call[IndexStatus]:
    """The state of the index and its tasks. Needs a key with the scope `admin`. A large corpus takes long."""
    return Call("GET", "/api/v1/status", IndexStatus, deadline_s=STATUS_DEADLINE_S)


def tasks(limit: int = 20) -> Call[TaskList]:
    """The latest tasks, at most `limit` (1 to 100), without their reports."""
    return Call("GET", "/api/v1/tasks", TaskList, query={"limit": limit})


def task(task_id: str) -> Call[TaskView]:
    """The progress of a task, and at its end what happened to each article. Raises TaskNotFound."""
    return Call("GET", task_path(task_id), TaskView, missing=TaskNotFound)


def article_path(article_id: str) -> str:
    """The address of an article at the service."""
    return f"/api/v1/articles/{quote(article_id, safe='')}"


def task_path(task_id: str) -> str:
    """The address of a task at the service."""
    return f"/api/v1/tasks/{quote(task_id, safe='')}"


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _for_json(value) for name, value in options.items() if value is not None}


def _for_json(value: Any) -> Any:
    """JSON has lists and no sets."""
    is_several = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    return list(value) if is_several else value
