"""Problem details (RFC 9457): the one shape of every error, as JSON or as a page.

A problem never contains the text of a question. A fault of the service itself shows nothing but the request's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from search_api.http.negotiation import preferred
from search_api.http.parts import part
from search_api.http.problem_kinds import KIND_BY_NAME, KIND_BY_STATUS
from search_api.http.representation import accept_header

_FOR_MACHINES = ("/healthz", "/readyz", "/metrics", "/openapi.json")
MEDIA_TYPE, JSON, HTML = "application/problem+json", "application/json", "text/html"


class FieldError(BaseModel):
    """One thing that is wrong with one field."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    field: str
    """The field's name, or `body` for the whole body. `unknown` replaces an unknown name, which may be words of a
    question and is never repeated. For an upload in which nothing could be read, the name of a file, and the line if
    there is one."""
    message: str
    """What is wrong with the field and what is accepted."""


class Problem(BaseModel):
    """Problem details by RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """The kind of problem, as the address of its description."""
    title: str
    """The kind of problem in words, always the same for one type."""
    status: int
    """The HTTP status, repeated."""
    detail: str | None = None
    """What is wrong in this case, and what to do about it."""
    errors: list[FieldError] | None = None
    """For an invalid request: each field that is wrong."""
    moved_to: str | None = None
    """For an article that has moved: its new id, or the id of the article to read instead."""
    request_id: str | None = None
    """For a fault of the service: the id to look for in its log."""


@dataclass(frozen=True, slots=True)
class ProblemContext:
    """What problems need from the application."""

    base_url: str
    """Public address of the service, put before the addresses of problem types. May be empty."""
    render_page: Callable[..., str]
    """Renders a template by name, with keyword arguments."""
    on_tasks_full: Callable[[], None]
    """Called for each request that is refused because too many tasks wait."""


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
    """The response for one problem: JSON, or a page for a reader of a page.

    `kind` names one of `KINDS`, if a status has several.
    """
    named = KIND_BY_NAME[kind] if kind else KIND_BY_STATUS.get(status)
    context = part(request, ProblemContext)
    body = Problem(
        type=f"{context.base_url}/docs#{named.name}" if named else "about:blank",
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
        if preferred(accept_header(request), (MEDIA_TYPE, JSON, HTML)) == HTML:
            page = context.render_page("problem.html", problem=body)
            return Response(page, status, told, media_type=HTML)
    return Response(body.model_dump_json(exclude_none=True), status, told, media_type=MEDIA_TYPE)


def _is_a_page(request: Request) -> bool:
    path = request.url.path
    return not path.startswith("/api/") and path not in _FOR_MACHINES
