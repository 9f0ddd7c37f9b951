"""Uploads and imports: many articles at once, as files of a form, archives or JSON Lines."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from kb.schema.service import TaskView
from kb.tasks.messages import BulkRequest
from search_api.http.parts import part
from search_api.openapi.document import problem_responses
from search_api.routes.articles import IDEMPOTENCY_KEY, accepted_response
from search_api.routes.change_submission import submit_change, task_store_with_room
from search_api.routes.request_files import (
    RequestFiles,
    allow_large_body,
    keep_body,
    keep_files,
    media_type,
    refuse_encoding,
    request_files,
)
from search_api.state.settings import Settings

FORM = "multipart/form-data"
ZIP = ("application/zip", "application/x-zip-compressed")
JSON_LINES = (
    "application/jsonl",
    "application/x-ndjson",
    "application/ndjson",
    "application/x-jsonlines",
)

router = APIRouter(tags=["articles"])


@router.post(
    "/api/v1/upload",
    operation_id="uploadFiles",
    summary="Upload files of articles",
    description="Takes in every article of the files of a form, or of one zip archive sent as the body: Markdown, plain"
    " text, `.article.json`, `.jsonl`, `.jsonl.gz`, and `.zip` of such. When this answers 202, the corpus has"
    " all that could be read; what could not is named in the report, with its reason, and stops nothing else."
    " Where nothing could be read, this answers 422, whose `errors` name the files. Of several articles of one"
    " id the first is taken, and each further one is named so. What archives may unpack to is bounded; names"
    " that lead elsewhere, links and encrypted files are refused.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response(
            "The corpus has what could be read; the task brings it into the index."
        ),
        **problem_responses(413, 415, 422, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {
                                "type": "array",
                                "items": {"type": "string", "format": "binary"},
                                "minItems": 1,
                                "description": "The files; any name of the field will do.",
                            }
                        },
                        "required": ["file"],
                    }
                },
                ZIP[0]: {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
)
async def upload(request: Request) -> Response:
    kind = media_type(request)
    if kind != FORM and kind not in ZIP:
        raise HTTPException(415, f"Send files as {FORM}, or one archive as {ZIP[0]}.")
    refuse_encoding(request)
    settings = part(request, Settings)
    allow_large_body(request, settings.upload_max_bytes)
    store = await task_store_with_room(request)
    with request_files(store) as received:
        if kind == FORM:
            await keep_files(request, received, settings.upload_max_files)
        else:
            await keep_body(request, received, "upload.zip")
        return await submit_change(request, received, _request("upload", received, settings))


@router.post(
    "/api/v1/import",
    operation_id="importArticles",
    summary="Import a collection",
    description="Takes in articles as JSON Lines, one a line in the form of `kb add`'s `.jsonl`, compressed by gzip"
    " where `Content-Encoding` says so. When this answers 202, the corpus has all that could be read, each as a file of"
    " its own; a line that could not is named in the report, with its reason, and so is each after the first of one id."
    " Where no line could be read, this answers 422, whose `errors` name them.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response(
            "The corpus has what could be read; the task brings it into the index."
        ),
        **problem_responses(413, 415, 422, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": {"type": "string", "minLength": 1}} for name in JSON_LINES[:2]
            },
        },
    },
)
async def import_articles(request: Request) -> Response:
    if media_type(request) not in JSON_LINES:
        raise HTTPException(415, f"Send one article a line, as {JSON_LINES[0]}.")
    compressed = refuse_encoding(request, "gzip") == "gzip"
    settings = part(request, Settings)
    allow_large_body(request, settings.upload_max_bytes)
    store = await task_store_with_room(request)
    with request_files(store) as received:
        await keep_body(request, received, "import.jsonl.gz" if compressed else "import.jsonl")
        return await submit_change(request, received, _request("import", received, settings))


def _request(
    kind: Literal["upload", "import"], received: RequestFiles, settings: Settings
) -> BulkRequest:
    return BulkRequest(
        tuple(received.files), settings.unpacked_max_bytes, settings.upload_max_files, kind
    )
