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

FORM_TYPE = "multipart/form-data"
ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
JSON_LINES_TYPES = (
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
    description="Adds every article in the files of a form, or in one zip archive sent as the body. Files may be"
    " Markdown, plain text, `.article.json`, `.jsonl`, `.jsonl.gz`, or a `.zip` of these. When this answers 202, the"
    " corpus has all articles that could be read. The report names the others with the reasons. If nothing could be"
    " read, this answers 422, and `errors` names the files. Of several articles with one id, the first is added and"
    " the others are reported. The unpacked size of archives is limited. Links, encrypted files and names that lead"
    " elsewhere are refused.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response(
            "The corpus has the readable articles. The task brings them into the index."
        ),
        **problem_responses(413, 415, 422, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {
                FORM_TYPE: {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {
                                "type": "array",
                                "items": {"type": "string", "format": "binary"},
                                "minItems": 1,
                                "description": "The files. The name of the field does not matter.",
                            }
                        },
                        "required": ["file"],
                    }
                },
                ZIP_TYPES[0]: {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
)
async def upload(request: Request) -> Response:
    kind = media_type(request)
    if kind != FORM_TYPE and kind not in ZIP_TYPES:
        raise HTTPException(415, f"Send files as {FORM_TYPE}, or one archive as {ZIP_TYPES[0]}.")
    refuse_encoding(request)
    settings = part(request, Settings)
    allow_large_body(request, settings.upload_max_bytes)
    store = await task_store_with_room(request)
    with request_files(store) as received:
        if kind == FORM_TYPE:
            await keep_files(request, received, settings.upload_max_files)
        else:
            await keep_body(request, received, "upload.zip")
        return await submit_change(request, received, _request("upload", received, settings))


@router.post(
    "/api/v1/import",
    operation_id="importArticles",
    summary="Import a collection",
    description="Adds articles as JSON Lines, one article per line, in the form of `kb add`'s `.jsonl`. The body may"
    " be compressed by gzip, with that `Content-Encoding`. When this answers 202, the corpus has all articles that"
    " could be read, each in its own file. The report names the other lines with the reasons, and repeated ids. If no"
    " line could be read, this answers 422, and `errors` names the lines.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response(
            "The corpus has the readable articles. The task brings them into the index."
        ),
        **problem_responses(413, 415, 422, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": {"type": "string", "minLength": 1}}
                for name in JSON_LINES_TYPES[:2]
            },
        },
    },
)
async def import_articles(request: Request) -> Response:
    if media_type(request) not in JSON_LINES_TYPES:
        raise HTTPException(415, f"Send one article a line, as {JSON_LINES_TYPES[0]}.")
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
