"""The kinds of problems, each with its status, meaning and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.schema.errors import (
    ArticleMoved,
    ArticleWithdrawn,
    IndexDamaged,
    IndexFormatMismatch,
    IndexMissing,
    TuningDamaged,
    WorkerMissing,
)
from kb.tasks.task import TasksFull

NOT_JSON_MESSAGE = "The body is not JSON in UTF-8."
NO_ARTICLE_MESSAGE = "There is no article with that id."
NO_PASSAGE_MESSAGE = "The article has no section with that id, or no passage at that place."
_REMEDY = "Run `kb build`. The service opens the new index by itself."


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `name` is the fragment of its `type`. `example` has fields for an example."""

    name: str
    status: int
    title: str
    meaning: str
    example: Mapping[str, Any]


_TOO_MANY = "limit is 500; it must be from 1 to 100."

KINDS = (
    Kind(
        "moved",
        301,
        "The article has moved",
        "It has a new id, or another article replaces it. `Location` leads there.",
        {
            "detail": str(ArticleMoved("hypnic-jerks", "sleep-starts-hypnic-jerks")),
            "moved_to": "sleep-starts-hypnic-jerks",
        },
    ),
    Kind(
        "withdrawn",
        410,
        "The article was withdrawn",
        "It was removed for good. `detail` says when, and gives the publisher's reason if there is one.",
        {
            "detail": str(
                ArticleWithdrawn(
                    "pulse-by-hand",
                    title="The Pulse by Hand",
                    on="2026-12-01",
                    because="Its advice is out of date",
                )
            )
        },
    ),
    Kind(
        "invalid-request",
        422,
        "The request is not valid",
        "`errors` names each field that is wrong.",
        {"detail": _TOO_MANY, "errors": [{"field": "limit", "message": _TOO_MANY}]},
    ),
    Kind(
        "unreadable-request",
        400,
        "The request cannot be read",
        "The body is not JSON.",
        {"detail": NOT_JSON_MESSAGE},
    ),
    Kind(
        "unauthorized",
        401,
        "A key is needed",
        "No key was sent, or an unknown one. `detail` names the scope.",
        {"detail": "Send a key with the scope articles, as Authorization: Bearer KEY."},
    ),
    Kind(
        "forbidden",
        403,
        "Not allowed",
        "The key does not have the scope, or administration is off because there is no key.",
        {"detail": "This key does not have the scope articles."},
    ),
    Kind(
        "not-found",
        404,
        "Not found",
        "There is no article or address with that name.",
        {"detail": NO_ARTICLE_MESSAGE},
    ),
    Kind(
        "method-not-allowed",
        405,
        "Method not allowed",
        "The header `Allow` names the allowed methods.",
        {},
    ),
    Kind(
        "not-acceptable",
        406,
        "Not served in that form",
        "`Accept` names no media type that the route offers. `detail` lists those it offers.",
        {"detail": "This is served as application/json: add that to Accept, or leave Accept out."},
    ),
    Kind(
        "conflict",
        409,
        "The request does not fit the state of the service",
        "Its state has changed. `detail` says what to do.",
        {
            "detail": "Another generation of the index answers now: 20261122T130710Z-2566e275bad7bdd0."
            " Ask again from the first page."
        },
    ),
    Kind(
        "precondition-failed",
        412,
        "The article has changed",
        "The condition in `If-Match` or `If-None-Match` does not hold.",
        {"detail": "There is an article with that id already."},
    ),
    Kind(
        "body-too-large",
        413,
        "The body is too large",
        "`detail` names the limit.",
        {"detail": "The body is too large; it must be at most 65,536 bytes."},
    ),
    Kind(
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "Send the body as application/json.",
        {"detail": "Send the body as JSON, with Content-Type: application/json."},
    ),
    Kind(
        "request-timeout",
        408,
        "The request did not arrive in time",
        "Send the body faster.",
        {},
    ),
    Kind(
        "misdirected-request",
        421,
        "Misdirected request",
        "The service does not accept that `Host`.",
        {},
    ),
    Kind(
        "too-many-requests",
        429,
        "Too many requests",
        "This client sends requests too often. `Retry-After` says when to ask again.",
        {"detail": "Wait as long as `Retry-After` says."},
    ),
    Kind(
        "index-unavailable",
        503,
        "No index can be served",
        "The index is missing or damaged. `detail` says what the operator should do.",
        {"detail": f"There is no index yet. {_REMEDY}"},
    ),
    Kind(
        "overloaded",
        503,
        "Too much to do",
        "More questions came in than can be answered in time. `Retry-After` says when to ask again.",
        {},
    ),
    Kind(
        "too-late",
        503,
        "The answer took too long",
        "The answer was not ready within the time limit for a question.",
        {},
    ),
    Kind(
        "tasks-full",
        503,
        "Too many tasks wait",
        "No more tasks are accepted for now. `Retry-After` says when to send this again.",
        {"detail": str(TasksFull(1000))},
    ),
    Kind(
        "worker-missing",
        504,
        "The worker does not answer",
        "The process that changes articles and reports the status is not running. Send the same request again.",
        {"detail": str(WorkerMissing())},
    ),
    Kind(
        "not-stored",
        507,
        "The corpus cannot be written",
        "Its disk is full, or no corpus is a writable folder. Send the same request again once that is fixed.",
        {"detail": "The disk failed: No space left on device."},
    ),
    Kind(
        "internal-error",
        500,
        "The service failed",
        "`request_id` is the id to look for in its log.",
        {"request_id": "3f0d6c1b2a9e4d58"},
    ),
)
KIND_BY_STATUS = {kind.status: kind for kind in reversed(KINDS)}  # of several, the first
KIND_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(status: int) -> Kind:
    """The first kind of problem of a status in `KINDS`."""
    return KIND_BY_STATUS[status]


def index_remedy(error: BaseException) -> str:
    """The remedy for an index that does not open, without paths or traces."""
    match error:
        case IndexMissing():
            return f"There is no index yet. {_REMEDY}"
        case IndexFormatMismatch():
            return (
                "The index has another format version. If a newer program built it, restart the service with that "
                "program. Otherwise run `kb build`."
            )
        case IndexDamaged():
            return f"The index is damaged. {_REMEDY}"
        case TuningDamaged():
            return "The stored weights are damaged. Run `kb tune --reset`. The service then continues by itself."
        case _:
            return f"The index cannot be opened. {_REMEDY}"
