"""Exceptions of the client, one for each way of handling an error.

The service answers errors with problem details (RFC 9457). A proxy may echo a request, and exceptions end up in logs.
So an exception drops any text of an answer that repeats the question.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import kb.schema.errors
from kb.schema.errors import InvalidRequest, KbError, NotFound

PROBLEM_TYPE = "application/problem+json"

ECHO_WORDS = 3
"""Number of consecutive words of a question that count as a repetition."""


class ServiceError(KbError):
    """The base class of everything that a client raises. It is raised itself for faults of the service (500, 507).

    `status` is the HTTP status, None if there was no response. `kind` names the kind of problem (`invalid-request`).
    `request_id` is the id to look for in the service's log. `retry_after_s` is how long the service asked to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        kind: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        Exception.__init__(self, message)
        self.status = status
        self.kind = kind
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class RequestRefused(ServiceError, InvalidRequest):
    """The service refused a value (400, 409, 413, 415, 422). `field` names it if the service did."""

    field: str = ""


class KeyRefused(ServiceError):
    """The service requires an API key, or another one (401, 403)."""


class ArticleNotFound(ServiceError, NotFound):
    """The service has no article with that id, or no such address (404)."""


class ArticleMoved(ArticleNotFound, kb.schema.errors.ArticleMoved):
    """The article has a new id, or another article replaces it: `to` (301)."""

    to: str = ""


class ArticleWithdrawn(ArticleNotFound, kb.schema.errors.ArticleWithdrawn):
    """The article was removed for good (410). The message says when, and why if that is known."""


class TaskNotFound(ServiceError, NotFound):
    """There is no task with that id: it ended too long ago, or never existed (404)."""


class PreconditionFailed(ServiceError):
    """The article has changed since you read it, or exists already (412). Read it again."""


class TooManyRequests(ServiceError):
    """This client sends too many requests (429)."""


class ServiceUnavailable(ServiceError):
    """The service cannot answer now (502 to 504): overloaded, without index or worker, or unreachable for its proxy."""


class Unreachable(ServiceError):
    """The connection to the service failed or broke."""


class DeadlineExceeded(ServiceError):
    """No answer came within the time given."""


class UnexpectedAnswer(ServiceError):
    """The answer is not one of this service, or of another version."""


_BY_STATUS: Mapping[int, type[ServiceError]] = {
    **dict.fromkeys((400, 409, 413, 415, 422), RequestRefused),
    **dict.fromkeys((401, 403), KeyRefused),
    410: ArticleWithdrawn,
    412: PreconditionFailed,
    429: TooManyRequests,
    500: ServiceError,
    507: ServiceError,
    **dict.fromkeys((502, 503, 504), ServiceUnavailable),
}


def error_of(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    private: Iterable[str],
    missing: type[ServiceError] = ArticleNotFound,
) -> ServiceError:
    """The exception for an answer with that status, `missing` for 404. `headers` have lower-case names.

    No attribute repeats one of the texts `private`.
    """
    problem = _problem(headers, content)
    moved_to = _text(problem, "moved_to", private)
    kind = missing if status == 404 else _BY_STATUS.get(status, UnexpectedAnswer)
    if moved_to:
        kind = ArticleMoved
    told = _text(problem, "detail", private)
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    error = kind(
        told or _in_words(status),
        status=status,
        kind=_text(problem, "type", private).rpartition("#")[2],
        request_id=_text(problem, "request_id", private),
        retry_after_s=retry_after_s(headers.get("retry-after", ""), datetime.now(UTC)),
    )
    if isinstance(error, ArticleMoved):
        error.to = moved_to
    if isinstance(error, RequestRefused) and isinstance(first, dict):
        error.field = _text(first, "field", private)
    return error


def retry_after_s(value: str, now: datetime) -> float | None:
    """The seconds to wait by `Retry-After`, a number or a date (RFC 9110, 10.2.3). None for anything else."""
    value = value.strip()
    if value.isdecimal():
        return float(value[:12])
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())


def repeats(text: str, private: str) -> bool:
    """Whether `text` contains `private`, or ECHO_WORDS consecutive words of it, ignoring case and white space."""
    words = private.casefold().split()
    count = min(ECHO_WORDS, len(words))
    told = " ".join(text.casefold().split())
    runs = (words[start : start + count] for start in range(len(words) - count + 1))
    return bool(words) and any(" ".join(run) in told for run in runs)


def _problem(headers: Mapping[str, str], content: bytes) -> Mapping[str, Any]:
    if not headers.get("content-type", "").startswith(PROBLEM_TYPE):
        return {}
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _text(problem: Mapping[str, Any], name: str, private: Iterable[str]) -> str:
    value = problem.get(name)
    if not isinstance(value, str) or any(repeats(value, text) for text in private):
        return ""
    return value


def _in_words(status: int) -> str:
    if 300 <= status < 400:
        return f"The service answered {status}, a redirection, which is not followed: give the address it leads to."
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return f"The service answered {status}{phrase}."
