"""The media type of a response, chosen from what its route offers. 406 if the client accepts none.

A route offers what it declares for the OpenAPI document, so a new route is covered at once. The choice is made before
the route runs: nothing is changed for a client that could not read the result. Errors are sent in any case.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from search_api.http.negotiation import preferred
from search_api.http.validation import accepted_fields

FORMAT_PARAMETER = "format"
"""The parameter by which an address names the media type itself. If it is given, `Accept` is ignored."""


def accept_header(request: Request) -> str:
    """All Accept headers of a request, joined by commas."""
    return ", ".join(request.headers.getlist("accept"))


def offered(route: APIRoute) -> tuple[str, ...]:
    """The media types of a route's successful responses, the default first. Empty: the route negotiates itself."""
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
    """The media type of `types` that the client prefers. Raises HTTPException, 406, where it accepts none."""
    chosen = preferred(accept_header(request), types)
    if chosen is None:
        named = " or ".join(types)
        raise HTTPException(
            406, f"This is served as {named}: add that to Accept, or leave Accept out."
        )
    return chosen


async def representation(request: Request) -> str:
    """The media type of the response; "" if the address names it, or the route negotiates itself.

    A dependency of every route. Raises HTTPException, 406.
    """
    route: APIRoute = request.scope["route"]
    types = offered(route)
    if not types or (
        request.query_params.get(FORMAT_PARAMETER)
        and FORMAT_PARAMETER in accepted_fields(route.endpoint)
    ):
        return ""
    return require_media_type(request, *types)
