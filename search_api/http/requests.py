"""Checks that several routes share, as dependencies of FastAPI. They run before anything else."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kb.schema.errors import InvalidRequest
from search_api.http.validation import MISPLACED_TYPE


def require_json(request: Request) -> None:
    """Refuse a body that is not JSON with 415, so that a form on another site cannot post one."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "Send the body as JSON, with Content-Type: application/json.")


def given_once(parameters: type[BaseModel]) -> Any:
    """Refuse with 422 a parameter that an address gives twice. Lists are given once for each value."""
    once = [
        name for name, field in parameters.model_fields.items() if not _is_list(field.annotation)
    ]

    def check(request: Request) -> None:
        for name in once:
            if len(request.query_params.getlist(name)) > 1:
                raise InvalidRequest(name, f"{name} is given more than once; give it once.")

    return Depends(check)


async def nothing_misplaced(request: Request) -> None:
    """Refuse with 422 a parameter in the address of an API operation that takes none.

    A dependency of every route. Pages and addresses for machines ignore unknown parameters. An operation with
    parameters refuses unknown ones by its model.
    """
    route = request.scope["route"]
    if (
        request.query_params
        and request.url.path.startswith("/api/")
        and not route.dependant.query_params
    ):
        raise RequestValidationError(
            [{"type": MISPLACED_TYPE, "loc": ("query", name)} for name in request.query_params]
        )


def _is_list(annotation: Any) -> bool:
    return any(get_origin(each) is list for each in get_args(annotation))
