"""Given the route that a request has led to, the media type of its answer, or 406 where the client accepts none.

What a route offers is what it declares for the OpenAPI document, so that a route that is new is asked as well. That is
done before its work: nothing is changed for a client that could not read what became of it. An error is always told,
whatever is accepted.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from search_api.http.negotiation import preferred
from search_api.http.validation import accepted_fields

FORMAT = "format"
"""The parameter by which an address names the media type itself: where it is given, `Accept` is not asked."""


def accepted(request: Request) -> str:
    """All that a request says that it accepts."""
    return ", ".join(request.headers.getlist("accept"))


def offered(route: APIRoute) -> tuple[str, ...]:
    """The media types of a route's answers that are no errors, its default first. None: it sees to that itself."""
    kind: Any = route.response_class
    kind = kind.value if isinstance(kind, DefaultPlaceholder) else kind
    declared = [
        media_type
        for status, response in route.responses.items()
        if str(status).startswith("2")
        for media_type in response.get("content", {})
    ]
    return tuple(dict.fromkeys([*([kind.media_type] if kind.media_type else []), *declared]))


def require_media_type(request: Request, *types: str) -> str:
    """The media type of `types` that the client likes best. Raises HTTPException, 406, where it accepts none."""
    chosen = preferred(accepted(request), types)
    if chosen is None:
        named = " or ".join(types)
        raise HTTPException(
            406, f"This is served as {named}: let Accept name that, or leave it out."
        )
    return chosen


async def representation(request: Request) -> str:
    """The media type of the answer, for a route that offers several; "" where the address says it, or any will do.

    A dependency of every route. Raises HTTPException, 406.
    """
    route: APIRoute = request.scope["route"]
    types = offered(route)
    if not types or (
        request.query_params.get(FORMAT) and FORMAT in accepted_fields(route.endpoint)
    ):
        return ""
    return require_media_type(request, *types)
