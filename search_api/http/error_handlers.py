"""Every exception of a route becomes a problem here: the domain's errors, the framework's, and invalid requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from kb.schema.errors import (
    ArticleMoved,
    ArticleWithdrawn,
    GenerationGone,
    IndexUnusable,
    InvalidRequest,
    KbError,
    NotFound,
    PassageNotFound,
    WorkerMissing,
)
from kb.tasks.task import TasksFull
from search_api.http.parts import part
from search_api.http.problem_kinds import (
    NO_ARTICLE_MESSAGE,
    NO_PASSAGE_MESSAGE,
    NOT_JSON_MESSAGE,
    index_remedy,
)
from search_api.http.problems import ProblemContext, problem
from search_api.http.validation import field_errors

RETRY_AFTER_S = 5
"""`Retry-After` in seconds if no index can be served, or too many tasks wait."""
WORKER_RETRY_AFTER_S = 30
"""`Retry-After` in seconds if no worker answers."""

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem, including the framework's own."""
    app.add_exception_handler(KbError, _domain_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    match error:
        case InvalidRequest():
            return problem(request, 422, str(error), errors=[(error.field, str(error))])
        case PassageNotFound():
            return problem(request, 404, NO_PASSAGE_MESSAGE)
        case ArticleMoved():
            return _moved(request, error.article_id, error.to, str(error))
        case ArticleWithdrawn() if error.see:
            return _moved(request, error.article_id, error.see, str(error))
        case ArticleWithdrawn():
            return problem(request, 410, str(error))
        case NotFound():
            return problem(request, 404, _without_slash(request) or NO_ARTICLE_MESSAGE)
        case GenerationGone():
            return problem(request, 409, str(error))
        case TasksFull():
            part(request, ProblemContext).on_tasks_full()
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            return problem(request, 503, str(error), kind="tasks-full", headers=retry)
        case WorkerMissing():
            retry = {"Retry-After": str(WORKER_RETRY_AFTER_S)}
            return problem(request, 504, str(error), headers=retry)
        case IndexUnusable():
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            return problem(request, 503, index_remedy(error), headers=retry)
        case _:
            # No route should raise this kind: the boundary logs it and answers 500.
            raise error


def _moved(request: Request, article_id: str, to: str, detail: str) -> Response:
    """Redirect to the same address of the other article. Not cacheable, since the target may change."""
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
    base_url = part(request, ProblemContext).base_url
    location = f"{base_url}{path}{f'?{urlencode(query, quote_via=quote)}' if query else ''}"
    headers = {"Location": location, "Cache-Control": "no-cache"}
    return problem(request, 301, detail, moved_to=to, headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail: str | None = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _without_slash(request) if error.status_code == 404 else None
    if error.status_code == 400:
        detail = NOT_JSON_MESSAGE
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    return problem(request, error.status_code, detail, headers=headers)


def _without_slash(request: Request) -> str | None:
    """The hint for an address that exists without the slash at its end."""
    path: str = request.scope["path"]
    bare = {**request.scope, "path": path.rstrip("/")}
    if not (path.endswith("/") and _leads_somewhere(request, bare)):
        return None
    return "Addresses here do not end in a slash: leave it out."


def _leads_somewhere(request: Request, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


def _allowed_methods(request: Request) -> list[str]:
    """Every method of the address, with HEAD beside GET. The framework names only the methods of the first route."""
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
        return problem(request, 400, NOT_JSON_MESSAGE)
    errors = field_errors(found, request.scope["endpoint"])
    detail = " ".join(
        message if message.startswith(f"{field} ") else f"{field}: {message}"
        for field, message in errors
    )
    return problem(request, 422, detail, errors=errors)
