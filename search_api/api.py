"""Given a request of a program, JSON: the list of articles; and what the routes share."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from kb.answers import ArticleList
from kb.errors import InvalidRequest
from kb.knowledge_base import MAX_LIMIT
from search_api import examples, links
from search_api.live import LiveIndex
from search_api.openapi import problem_responses
from search_api.validation import MISPLACED
from search_api.whole import Whole

MAX_ARTICLE_OFFSET = 1_000_000_000


class ListQuery(BaseModel):
    """Which page of the list of articles."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Whole(1, MAX_LIMIT), Field(description="How many articles at most.")] = (
        100
    )
    offset: Annotated[
        int, Whole(0, MAX_ARTICLE_OFFSET), Field(description="How many articles to leave out.")
    ] = 0


async def live_index(request: Request) -> LiveIndex:
    """The index of this application."""
    live: LiveIndex = request.app.state.live
    return live


Live = Annotated[LiveIndex, Depends(live_index)]


def require_json(request: Request) -> None:
    """Refuse a body of another type by 415, so that no form of a foreign site can post one."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "Send the body as JSON, with Content-Type: application/json.")


def given_once(parameters: type[BaseModel]) -> Any:
    """Refuse by 422 a parameter that an address gives twice: which one was meant, nobody knows.

    Those that are lists are given once for each value.
    """
    once = [
        name for name, field in parameters.model_fields.items() if not _is_list(field.annotation)
    ]

    def check(request: Request) -> None:
        for name in once:
            if len(request.query_params.getlist(name)) > 1:
                raise InvalidRequest(name, f"{name} is given more than once; give it once.")

    return Depends(check)


async def nothing_misplaced(request: Request) -> None:
    """Refuse by 422 a parameter in the address of an operation that takes none, where it would do nothing.

    A dependency of every route. Of a page's address, and of one that machines ask, what is not understood is left
    aside; an operation that has parameters refuses others by its model.
    """
    route = request.scope["route"]
    if (
        request.query_params
        and request.url.path.startswith("/api/")
        and not route.dependant.query_params
    ):
        raise RequestValidationError(
            [{"type": MISPLACED, "loc": ("query", name)} for name in request.query_params]
        )


def _is_list(annotation: Any) -> bool:
    return any(get_origin(each) is list for each in get_args(annotation))


router = APIRouter()


@router.get(
    "/api/v1/articles",
    tags=["articles"],
    operation_id="listArticles",
    summary="List the articles",
    description="The articles by title, without their text.",
    response_description="One page of the list, and how many articles there are.",
    responses={
        **examples.ok(examples.ARTICLE_LIST, links.FROM_ARTICLES),
        **problem_responses(422, 503),
    },
    dependencies=[given_once(ListQuery)],
)
def list_articles(query: Annotated[ListQuery, Query()], live: Live) -> ArticleList:
    with live.use() as knowledge_base:
        articles = knowledge_base.articles(query.limit, query.offset)
        return ArticleList(knowledge_base.article_count, tuple(articles))
