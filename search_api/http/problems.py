"""Given an error, the answer it gets: RFC 9457 problem details, or the same as a page.

This is the one place where errors become statuses. A problem never holds the text of a question,
and a fault of the service itself shows nothing but the request's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from kb.schema.errors import (
    ArticleMoved,
    ArticleWithdrawn,
    GenerationGone,
    IndexDamaged,
    IndexFormatMismatch,
    IndexMissing,
    IndexUnusable,
    InvalidRequest,
    KbError,
    NotFound,
    PassageNotFound,
    TuningDamaged,
    WorkerMissing,
)
from kb.tasks.store import TasksFull
from search_api.http.negotiation import preferred
from search_api.http.representation import accepted
from search_api.http.validation import field_errors

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

_FOR_MACHINES = ("/healthz", "/readyz", "/metrics", "/openapi.json")
MEDIA_TYPE, JSON, HTML = "application/problem+json", "application/json", "text/html"
RETRY_AFTER_S = 5
WORKER_RETRY_AFTER_S = 30


class FieldError(BaseModel):
    """One thing that is wrong with one field."""

    field: str = Field(
        description="The field's name, `body` for the body as a whole, or `unknown` for what is no field and may be the"
        " words of a question, which are never repeated; of an upload in which nothing could be read, the name of a"
        " file, with the line where it has one."
    )
    message: str = Field(description="What is wrong with it and what is accepted.")


class Problem(BaseModel):
    """Problem details by RFC 9457."""

    type: str = Field(description="Names the kind of problem; the address of its description.")
    title: str = Field(description="The kind of problem in words, always the same for one type.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str | None = Field(
        default=None, description="What is wrong in this case, and what to do about it."
    )
    errors: list[FieldError] | None = Field(
        default=None, description="For an invalid request: each field that is wrong."
    )
    moved_to: str | None = Field(
        default=None,
        description="For an article that has moved: its id now, or of the one to read instead.",
    )
    request_id: str | None = Field(
        default=None, description="For a fault of the service: the id to look for in its log."
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `name` is the fragment of its `type`; `example` completes an example."""

    name: str
    status: int
    title: str
    meaning: str
    example: Mapping[str, Any]


NOT_JSON = "The body is not JSON in UTF-8."
NO_ARTICLE = "There is no article of that id."
NO_PASSAGE = "The article has no section of that id, or no passage at that place."
_REMEDY = "Run `kb build`; the service takes the new index over by itself."
_TOO_MANY = "limit is 500; it must be from 1 to 100."

KINDS = (
    Kind(
        "moved",
        301,
        "The article has moved",
        "It has another id now, or another article is to be read instead; `Location` leads there.",
        {
            "detail": str(ArticleMoved("hypnic-jerks", "sleep-starts-hypnic-jerks")),
            "moved_to": "sleep-starts-hypnic-jerks",
        },
    ),
    Kind(
        "withdrawn",
        410,
        "The article was withdrawn",
        "It was taken out for good; `detail` says when, and why where its publisher said so.",
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
        {"detail": NOT_JSON},
    ),
    Kind(
        "unauthorized",
        401,
        "A key is needed",
        "No key was sent, or one that is not known; `detail` names the scope.",
        {"detail": "Send a key of the scope articles, as Authorization: Bearer KEY."},
    ),
    Kind(
        "forbidden",
        403,
        "Not allowed",
        "The key has not the scope, or administration is off, since no key was made.",
        {"detail": "This key has not the scope articles."},
    ),
    Kind(
        "not-found",
        404,
        "Not found",
        "There is no article or address of that name.",
        {"detail": NO_ARTICLE},
    ),
    Kind(
        "method-not-allowed",
        405,
        "Method not allowed",
        "The header `Allow` names the methods that are.",
        {},
    ),
    Kind(
        "not-acceptable",
        406,
        "Not served in that form",
        "`Accept` names no media type that the route offers; `detail` says which it does.",
        {"detail": "This is served as application/json: let Accept name that, or leave it out."},
    ),
    Kind(
        "conflict",
        409,
        "The request does not fit the state of the service",
        "Its state is another by now; `detail` says what to do.",
        {
            "detail": "Another generation of the index answers now: 20261122T130710Z-2566e275bad7bdd0."
            " Ask again from the first page."
        },
    ),
    Kind(
        "precondition-failed",
        412,
        "The article is another than you think",
        "`If-Match` or `If-None-Match` names what is not there (or is).",
        {"detail": "There is an article of that id already."},
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
        "The service is not asked for by that `Host`.",
        {},
    ),
    Kind(
        "too-many-requests",
        429,
        "Too many requests",
        "One client asks more often than is accepted; `Retry-After` says when to ask again.",
        {"detail": "Wait as long as `Retry-After` says."},
    ),
    Kind(
        "index-unavailable",
        503,
        "No index can be served",
        "The index is missing or damaged; `detail` says what its operator does about it.",
        {"detail": f"There is no index yet. {_REMEDY}"},
    ),
    Kind(
        "overloaded",
        503,
        "Too much to do",
        "More questions came in than can be answered in time; `Retry-After` says when to ask again.",
        {},
    ),
    Kind(
        "too-late",
        503,
        "The answer took too long",
        "No answer was found within the time that a question may take.",
        {},
    ),
    Kind(
        "tasks-full",
        503,
        "Too many tasks wait",
        "No more work is taken for now; `Retry-After` says when to send it again.",
        {"detail": str(TasksFull(1000))},
    ),
    Kind(
        "worker-missing",
        504,
        "Nobody is there to do it",
        "The process that changes articles and tells the status does not run; send the same again.",
        {"detail": str(WorkerMissing())},
    ),
    Kind(
        "not-stored",
        507,
        "The corpus cannot be written",
        "Its disk is full, or no corpus is a folder that may be written to; send the same again once that is mended.",
        {"detail": "The disk failed: No space left on device."},
    ),
    Kind(
        "internal-error",
        500,
        "The service failed",
        "`request_id` is what to look for in its log.",
        {"request_id": "3f0d6c1b2a9e4d58"},
    ),
)
_BY_STATUS = {kind.status: kind for kind in reversed(KINDS)}  # of several, the first
_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(status: int) -> Kind:
    """The kind of problem that a status stands for, the first of several. Only for those in `KINDS`."""
    return _BY_STATUS[status]


def index_remedy(error: BaseException) -> str:
    """What a client may know of an index that does not open: no path, no trace, and the remedy."""
    match error:
        case IndexMissing():
            return f"There is no index yet. {_REMEDY}"
        case IndexFormatMismatch():
            return (
                "The index is of another format version. Where a newer program built it, restart the service with "
                "that; otherwise run `kb build`."
            )
        case IndexDamaged():
            return f"The index is damaged. {_REMEDY}"
        case TuningDamaged():
            return "The stored weights are damaged. Run `kb tune --reset`; the service goes on by itself."
        case _:
            return f"The index cannot be opened. {_REMEDY}"


def problem(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    kind: str | None = None,
    errors: Sequence[tuple[str, str]] | None = None,
    moved_to: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for one problem: JSON, or a page for a reader who is at a page.

    `kind` is the name of one of `KINDS`, where there are several of that status.
    """
    named = _BY_NAME[kind] if kind else _BY_STATUS.get(status)
    base_url = request.app.state.settings.base_url
    body = Problem(
        type=f"{base_url}/docs#{named.name}" if named else "about:blank",
        title=named.title if named else HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=[FieldError(field=field, message=text) for field, text in errors or ()] or None,
        moved_to=moved_to,
        request_id=request.state.request_id if status == 500 else None,
    )
    told = dict(headers or {})
    if _is_a_page(request):
        told["Vary"] = "Accept"
        if preferred(accepted(request), (MEDIA_TYPE, JSON, HTML)) == HTML:
            page: str = request.app.state.templates.render("problem.html", problem=body)
            return Response(page, status, told, media_type=HTML)
    return Response(body.model_dump_json(exclude_none=True), status, told, media_type=MEDIA_TYPE)


def _is_a_page(request: Request) -> bool:
    path = request.url.path
    return not path.startswith("/api/") and path not in _FOR_MACHINES


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem, the framework's own included."""
    app.add_exception_handler(KbError, _domain_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    match error:
        case InvalidRequest():
            return problem(request, 422, str(error), errors=[(error.field, str(error))])
        case PassageNotFound():
            return problem(request, 404, NO_PASSAGE)
        case ArticleMoved():
            return _moved(request, error.article_id, error.to, str(error))
        case ArticleWithdrawn() if error.see:
            return _moved(request, error.article_id, error.see, str(error))
        case ArticleWithdrawn():
            return problem(request, 410, str(error))
        case NotFound():
            return problem(request, 404, _without_slash(request) or NO_ARTICLE)
        case GenerationGone():
            return problem(request, 409, str(error))
        case TasksFull():
            request.app.state.metrics.shed("tasks_full")
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            return problem(request, 503, str(error), kind="tasks-full", headers=retry)
        case WorkerMissing():
            retry = {"Retry-After": str(WORKER_RETRY_AFTER_S)}
            return problem(request, 504, str(error), headers=retry)
        case IndexUnusable():
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            return problem(request, 503, index_remedy(error), headers=retry)
        case _:
            # A kind that no route is meant to meet: the guard logs it and answers 500.
            raise error


def _moved(request: Request, article_id: str, to: str, detail: str) -> Response:
    """To the same address of the other article, as far as the address names one; kept by nobody, for it may change."""
    if request.method not in ("GET", "HEAD"):
        return problem(request, 404, detail, moved_to=to)
    path = request.url.path
    if path.endswith(f"/{article_id}"):
        path = path.removesuffix(article_id)
        path = f"{quote(path)}{quote(to, safe='')}"
    else:
        path = quote(path)
    query = [
        (name, to if name == "article" and value == article_id else value)
        for name, value in request.query_params.multi_items()
    ]
    location = f"{request.app.state.settings.base_url}{path}{f'?{urlencode(query, quote_via=quote)}' if query else ''}"
    headers = {"Location": location, "Cache-Control": "no-cache"}
    return problem(request, 301, detail, moved_to=to, headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail: str | None = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _without_slash(request) if error.status_code == 404 else None
    if error.status_code == 400:
        detail = NOT_JSON
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    return problem(request, error.status_code, detail, headers=headers)


def _without_slash(request: Request) -> str | None:
    """What to tell whoever asks for an address that there is, but for a slash at its end."""
    path: str = request.scope["path"]
    bare = {**request.scope, "path": path.rstrip("/")}
    if not (path.endswith("/") and _leads_somewhere(request, bare)):
        return None
    return "No address ends in a slash here: leave it out."


def _leads_somewhere(request: Request, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


def _allowed_methods(request: Request) -> list[str]:
    """Every method of the address: the framework names those of the first route alone. HEAD goes with GET."""
    methods = {
        method
        for method in _METHODS
        if _leads_somewhere(request, {**request.scope, "method": method})
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[Mapping[str, Any]] = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return problem(request, 400, NOT_JSON)
    errors = field_errors(found, request.scope["endpoint"])
    detail = " ".join(
        message if message.startswith(f"{field} ") else f"{field}: {message}"
        for field, message in errors
    )
    return problem(request, 422, detail, errors=errors)
