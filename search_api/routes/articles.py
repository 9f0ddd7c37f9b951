"""Reading, putting and deleting one article."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.exceptions import HTTPException

from kb.schema import article_files, article_markdown
from kb.schema.article import Article
from kb.schema.errors import InvalidRequest
from kb.schema.service import TaskView
from kb.storage.articles import article_digest
from kb.tasks.messages import DeleteRequest, PutRequest
from search_api.http.etags import etag, if_match, is_create_only, is_held
from search_api.http.parts import part
from search_api.http.representation import representation
from search_api.http.requests import given_once
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.pages.blocks import blocks
from search_api.pages.rendering import Templates
from search_api.routes.change_submission import submit_change, task_store_with_room
from search_api.routes.request_files import (
    allow_large_body,
    keep_body,
    media_type,
    refuse_encoding,
    request_files,
)
from search_api.state.live import Live
from search_api.state.settings import Settings

JSON, MARKDOWN, HTML = "application/json", article_markdown.MEDIA_TYPE, "text/html"
_FORMS = {"json": JSON, "markdown": MARKDOWN, "html": HTML}
_SUFFIXES = {each.media_type: each.suffixes[0] for each in article_files.SENDABLE_FORMS}
"""The suffix by which the body of an article is read, by its media type."""

_ARTICLE = TypeAdapter(Article)

_ID = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\s\x00-\x1f\x7f-\x9f]+$"}
_LINES = {"type": "array", "items": {"type": "string"}}
_DAY = {"type": ["string", "null"], "format": "date"}
_BODY: dict[str, Any] = {
    "type": "object",
    "description": "The interchange form. Null is the same as leaving a field out. Other fields are ignored.",
    "required": ["sections"],
    "properties": {
        "id": _ID,
        "title": {"type": "string"},
        "aliases": _LINES,
        "url": {"type": "string"},
        "source": {
            "type": "string",
            "description": "The name of the only source, if it has no address.",
        },
        "sources": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["title"],
                "properties": {"title": {"type": "string"}, "url": {"type": "string"}},
            },
        },
        "updated": _DAY,
        "reviewed": _DAY,
        "publish": _DAY,
        "expires": _DAY,
        "language": {"type": "string"},
        "tags": _LINES,
        "related": _LINES,
        "sections": {
            "type": "array",
            "minItems": 1,
            "description": "The ids must be different. At least one section must have text.",
            "items": {
                "type": "object",
                "required": ["id", "text"],
                "properties": {
                    "id": _ID,
                    "heading": {"type": "string"},
                    "level": {"type": "integer", "minimum": 1, "maximum": 6},
                    "text": {"type": "string"},
                },
            },
        },
    },
}

ArticleId = Annotated[
    str,
    Path(
        description="The article's id, percent-encoded. It may contain a slash.",
        examples=[examples.ARTICLE["id"]],
    ),
]


class ReadQuery(BaseModel):
    """The form of the article."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        Literal["json", "markdown", "html"] | None,
        Field(
            description="`json`, `markdown` or `html`. The default is what `Accept` prefers, or JSON."
        ),
    ] = None


class DeleteQuery(BaseModel):
    """What the article's address says afterwards."""

    model_config = ConfigDict(extra="forbid")

    because: Annotated[
        str,
        Field(
            max_length=1000,
            description="The reason, for readers. The page at the address shows it.",
        ),
    ] = ""
    see: Annotated[
        str, Field(max_length=200, description="The id of the article to read instead.")
    ] = ""


router = APIRouter(tags=["articles"])


_TAGS = r'^(\*|(W/)?"[^"]*"(, ?(W/)?"[^"]*")*)$'


def _header(name: str, description: str, pattern: str = "") -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": "header", "description": description, "schema": schema}


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "1 to 255 printable ASCII characters of your choice. The same key with the same work is the same task, so a request"
    " whose answer was lost can be sent again. With other work, the key is refused (422). A key is known as long as its"
    " task.",
    r"^[\x21-\x7e]{1,255}$",
)
IF_MATCH = _header(
    "If-Match",
    "Only if the article in the corpus still has this entity tag, from a `GET` or the answer to a `PUT`. `*`: only if"
    " the article exists. Otherwise 412.",
    _TAGS,
)
IF_NONE_MATCH = _header(
    "If-None-Match", "`*`: only if there is no article with that id. Otherwise 412.", r"^\*$"
)
IF_HELD = _header(
    "If-None-Match", "The entity tags that you have. 304 if the article still has one of them."
)


def accepted_response(description: str) -> dict[int | str, dict[str, Any]]:
    """The declaration of a route that answers with a task."""
    return {
        202: {
            "description": description,
            "content": {JSON: {"example": examples.ACCEPTED_TASK}},
            "headers": {
                "Location": {"description": "Address of the task.", "schema": {"type": "string"}}
            },
            "links": links.FROM_TASK,
        }
    }


@router.get(
    "/api/v1/articles/{article_id:path}",
    operation_id="readArticle",
    summary="Read an article",
    description="The article with all its sections: as JSON, as Markdown with front matter, which can be sent back,"
    " or as plain HTML. In JSON, `start` and `end` of a citation count code points in the `text` of its section. An"
    " article that was just accepted appears here once its task is done.",
    response_description="The article.",
    responses={
        200: {
            "content": {
                JSON: {"example": examples.ARTICLE},
                MARKDOWN: {"schema": {"type": "string"}},
                HTML: {"schema": {"type": "string"}},
            },
            "headers": {
                "ETag": {
                    "description": "The entity tag of this version, for `If-Match` and `If-None-Match`.",
                    "schema": {"type": "string"},
                }
            },
            "links": links.FROM_ARTICLE,
        },
        304: {"description": "You have this version already."},
        **problem_responses(301, 404, 410, 422, 503),
    },
    dependencies=[given_once(ReadQuery)],
    openapi_extra={"parameters": [IF_HELD]},
)
def read_article(
    request: Request,
    article_id: ArticleId,
    query: Annotated[ReadQuery, Query()],
    preferred: Annotated[str, Depends(representation)],
    live: Live,
) -> Article:
    with live.use() as knowledge_base:
        article = knowledge_base.article(article_id)
    kind = _FORMS[query.format] if query.format else preferred
    form = next(name for name, each in _FORMS.items() if each == kind)
    tag = etag(article_digest(article), "" if kind == JSON else form)
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if is_held(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=headers)  # type: ignore[return-value]
    content: str | bytes
    if kind == JSON:
        content = _ARTICLE.dump_json(article)
    elif kind == MARKDOWN:
        content = article_markdown.article_markdown(article)
    else:
        sections = [(section, blocks(section.text)) for section in article.sections]
        content = part(request, Templates).render(
            "article_text.html", article=article, sections=sections
        )
    return Response(content, headers=headers, media_type=kind)  # type: ignore[return-value]


@router.put(
    "/api/v1/articles/{article_id:path}",
    operation_id="putArticle",
    summary="Add or replace an article",
    description="Puts the article into the corpus, replacing any other with that id. Conditions are checked against the"
    " last accepted change. A refused change leaves no task. When this answers 202, the corpus has the article on disk,"
    " and no crash or power cut loses it. Searches find it once the task is done. The body is the JSON that reading an"
    " article returns, Markdown with front matter, or plain text whose first line is the title. An `id` in it may be"
    " left out. If present, it must be the one in the address.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response("The corpus has the article. The task brings it into the index."),
        **problem_responses(412, 413, 415, 422, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": _BODY, "example": examples.ARTICLE},
                MARKDOWN: {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
            },
        },
    },
)
async def put_article(request: Request, article_id: ArticleId) -> Response:
    kind = media_type(request)
    if kind not in _SUFFIXES:
        raise HTTPException(415, f"Send the article as one of {', '.join(_SUFFIXES)}.")
    refuse_encoding(request)
    _check_id(article_id)
    matching = if_match(request.headers.get("if-match"))
    only_new = is_create_only(request.headers.get("if-none-match"))
    allow_large_body(request, part(request, Settings).upload_max_bytes)
    store = await task_store_with_room(request)
    with request_files(store) as received:
        await keep_body(request, received, "article")
        (file,) = received.files
        change = PutRequest(file, _SUFFIXES[kind], matching, only_new)
        return await submit_change(request, received, change, article_id)


@router.delete(
    "/api/v1/articles/{article_id:path}",
    operation_id="deleteArticle",
    summary="Delete an article",
    description="Removes the article from the corpus for good. An article in a collection or in another corpus is"
    " hidden from every index. Once the task is done, searches do not find it. Its address then says that it was"
    " withdrawn (410), or leads to the article `see` (301).",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response(
            "The corpus no longer has the article. The task removes it from the index."
        ),
        **problem_responses(404, 412, 422, 503, 504, 507),
    },
    dependencies=[given_once(DeleteQuery)],
    openapi_extra={"parameters": [IF_MATCH, IDEMPOTENCY_KEY]},
)
async def delete_article(
    request: Request, article_id: ArticleId, query: Annotated[DeleteQuery, Query()]
) -> Response:
    _check_id(article_id)
    matching = if_match(request.headers.get("if-match"))
    change = DeleteRequest(matching, because=query.because, see=query.see)
    store = await task_store_with_room(request)
    with request_files(store) as received:
        return await submit_change(request, received, change, article_id)


def _check_id(article_id: str) -> None:
    if not article_id:
        raise InvalidRequest("article_id", "The article's id is empty.")
