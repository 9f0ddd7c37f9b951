"""The OpenAPI document: FastAPI's, with problems, required keys and the parameters of addresses put right."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from search_api.http.aliased_text import REQUIRED_MARK
from search_api.http.problem_kinds import kind_of
from search_api.http.problems import MEDIA_TYPE, Problem
from search_api.middleware import access
from search_api.openapi import field_docs  # noqa: F401  (before any route is declared)

SCHEMA_REF = "#/components/schemas/{model}"


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares of the problems that it may answer with."""
    schema = {"$ref": SCHEMA_REF.format(model="Problem")}
    declared: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*statuses, 406, 429, 500}):
        kind = kind_of(status)
        example = {"type": f"/docs#{kind.name}", "title": kind.title, "status": status}
        declared[status] = {
            "description": f"{kind.title}. {kind.meaning}",
            "content": {MEDIA_TYPE: {"schema": schema, "example": {**example, **kind.example}}},
        }
    return declared


router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi_document(request: Request) -> JSONResponse:
    """The document as JSON."""
    return JSONResponse(request.app.openapi())


def install(app: FastAPI, reading: access.Access, base_url: str) -> None:
    """Make `app.openapi()` return this document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    summary=app.summary,
                    description=app.description,
                    routes=app.routes,
                    tags=app.openapi_tags,
                    servers=app.servers,
                ),
            )
            app.openapi_schema["externalDocs"] = {
                "description": "What may change, and how that is announced.",
                "url": f"{base_url}/docs#stability",
            }
            access.describe(app.openapi_schema, reading, problem_responses(401, 403))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _described(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=SCHEMA_REF)
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for schema in schemas.values():
        for described in (schema, *schema["properties"].values()):
            if "description" in described:  # a docstring, which runs over several lines
                described["description"] = " ".join(described["description"].split())
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _in_address(parameter["schema"])
                if parameter["schema"].pop(REQUIRED_MARK, False):
                    parameter["required"] = True
    for schema in schemas.values():
        for field in schema["properties"].values():
            field.pop(REQUIRED_MARK, None)
    return document


def _in_address(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter. An address has no null, and writes one value as it writes a list of one."""
    others = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    lists = [each for each in others if each["type"] == "array"]
    kinds = lists or others
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
